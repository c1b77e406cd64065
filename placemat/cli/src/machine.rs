//! The machine in words, for reports: what a reader must know to judge the numbers.

use placemat_lab::lab::Lab;

/// Cores, memory, kernel, accelerator.
pub(crate) fn describe(lab: &Lab) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut words = vec![("cores".to_owned(), cores.to_string())];
    let line = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory = line("/proc/meminfo", "MemTotal").map(|memory| in_gib(&memory));
    words.extend(memory.map(|memory| ("memory".to_owned(), memory)));
    words.extend(line("/proc/cpuinfo", "model name").map(|model| ("cpu".to_owned(), model)));
    if let Ok(kernel) = std::fs::read_to_string("/proc/sys/kernel/osrelease") {
        words.push(("kernel".to_owned(), kernel.trim().to_owned()));
    }
    let accel = lab.accel_in_words();
    if !accel.is_empty() {
        words.push(("accelerator".to_owned(), accel));
    }
    words
}

/// `24684084 kB`, as the kernel has it, to a tenth: `23.5 GiB`.
fn in_gib(kilobytes: &str) -> String {
    let number = kilobytes.split(' ').next().unwrap_or_default();
    number.parse::<u32>().map_or_else(
        |_| kilobytes.to_owned(),
        |number| format!("{:.1} GiB", f64::from(number) / f64::from(1 << 20)),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_as_people_count_it() {
        assert_eq!(super::in_gib("24684084 kB"), "23.5 GiB");
        assert_eq!(super::in_gib("much"), "much");
    }
}
