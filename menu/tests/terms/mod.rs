//! Terms as they are printed, computed by hand: what `explain` says of a value must add up to it.

use placemat_spec::explain::Explanation;
use proptest::prelude::*;
use std::net::IpAddr;

/// A line for each value, once they were seen to add up.
pub(crate) fn lines(explanation: &Explanation) -> String {
    adds_up(explanation).unwrap();
    let lines = explanation.values.iter().map(|value| {
        let from: Vec<String> = value.from.iter().map(ToString::to_string).collect();
        let cells = [&value.what, &value.value, &value.how, &from.join(", ")];
        format!("{}\n", cells.map(String::as_str).join(" | "))
    });
    format!("{}\n{}", explanation.target, lines.collect::<String>())
}

/// Every value of an explanation says how it was made, and what is made of terms is their sum.
pub(crate) fn adds_up(explained: &Explanation) -> Result<(), TestCaseError> {
    for value in &explained.values {
        let what = format!("{} {}: {}", explained.target, value.what, value.how);
        prop_assert!(!value.how.is_empty(), "{what}");
        if let Some(sum) = sum(&value.how) {
            let plain = value.value.split('/').next().unwrap();
            prop_assert_eq!(sum, number(plain).unwrap(), "{}", what);
        } else if value.what.ends_with("address") || value.what.ends_with("asn") {
            prop_assert!(value.how == "given", "{what}");
        }
    }
    Ok(())
}

/// Terms as they are printed: where they start, then `+ 192 x (rack 3 - 1)`, `- 1 (core)`, ...
fn sum(how: &str) -> Option<u128> {
    let (start, steps) = how.split_at(how.find(" + ").or(how.find(" - ")).unwrap_or(how.len()));
    let start = start.rsplit(' ').next()?;
    let mut sum = number(start.split('/').next()?)?;
    if !how.starts_with("base ") && !how.starts_with("52:54:") && !start.contains('/') {
        return None;
    }
    // A sign inside of parentheses is no step.
    let mut rest = steps.trim();
    while !rest.is_empty() {
        let (sign, after) = rest.split_at(2);
        let mut depth = 0;
        let end = after.char_indices().find(|(index, c)| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            let next = after[*index..].get(..3);
            depth == 0 && matches!(next, Some(" + " | " - "))
        });
        let end = end.map_or(after.len(), |(index, _)| index);
        let amount = amount(&after[..end]);
        sum = match sign {
            "+ " => sum + amount,
            _ => sum - amount,
        };
        rest = after[end..].trim_start();
    }
    Some(sum)
}

/// `192 x (rack 3 - 1)`, `/64 x segment 1`, `4 /64s x (rack 3 - 1)`, `seat 4`, `256 (reserved)`.
fn amount(step: &str) -> u128 {
    if let Some(mac) = step.strip_prefix("interface id of ") {
        // RFC 4291: the bit of the first byte turned round, and fffe in the middle.
        let mac = number(mac).unwrap() ^ (2 << 40);
        return ((mac >> 24) << 40) | (0xfffe << 24) | (mac & 0xff_ffff);
    }
    match step.split_once(" x ") {
        Some((each, counted)) => times(each) * count(counted),
        None => match step.split_once(" (") {
            Some((fixed, _)) if !fixed.is_empty() => times(fixed),
            _ => count(step),
        },
    }
}

fn times(words: &str) -> u128 {
    match words.split_once("/64") {
        None => words.parse().unwrap(),
        Some(("", _)) => 1 << 64,
        Some((number, _)) => number.trim().parse::<u128>().unwrap() << 64,
    }
}

/// `(rack 3 - 1)`, `seat 4`.
fn count(words: &str) -> u128 {
    let words = words.trim_start_matches('(').trim_end_matches(')');
    let (counted, first) = words.split_once(" - ").unwrap_or((words, "0"));
    let number: u128 = counted.rsplit(' ').next().unwrap().parse().unwrap();
    number - first.parse::<u128>().unwrap()
}

/// An address, a MAC or a number.
fn number(text: &str) -> Option<u128> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(match address {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => u128::from(address),
        });
    }
    if text.split(':').count() == 6 {
        return u128::from_str_radix(&text.replace(':', ""), 16).ok();
    }
    text.parse().ok()
}
