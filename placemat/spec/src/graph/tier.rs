//! How high a machine stands: by its label `role`, else by the words of its name, else by how many hops it
//! is from the servers.

use super::rank::{BOOT, CORE, SERVER, SPINE, SUPER_SPINE, TOR};
use std::collections::VecDeque;

/// Roles of labels, and words in names, with the height that they mean. The first that fits counts.
const WORDS: &[(&str, u32)] = &[
    ("super-spine", SUPER_SPINE),
    ("superspine", SUPER_SPINE),
    ("core", CORE),
    ("border", CORE),
    ("edge", CORE),
    ("spine", SPINE),
    ("aggregation", SPINE),
    ("tor", TOR),
    ("leaf", TOR),
    ("access", TOR),
];

/// What is known of a machine before the graph is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint {
    /// A server, boot server, or router with a role.
    Known(u32),
    /// A router that says nothing of itself.
    Unknown,
}

impl Hint {
    /// Of a server.
    pub(super) fn of_server(role: Option<&str>) -> Self {
        let switch = role.and_then(word);
        Self::Known(switch.unwrap_or(if role == Some("boot") { BOOT } else { SERVER }))
    }

    /// Of a router.
    pub(super) fn of_router(role: Option<&str>, name: &str) -> Self {
        let rank = role.and_then(word).or_else(|| in_name(name));
        rank.map_or(Self::Unknown, Self::Known)
    }
}

fn word(role: &str) -> Option<u32> {
    let role = role.to_ascii_lowercase().replace('_', "-");
    let row = WORDS.iter().find(|(word, _)| *word == role);
    row.map(|(_, rank)| *rank)
}

/// `rack0-tor1` has `tor` in it, `history` has not.
fn in_name(name: &str) -> Option<u32> {
    let letters = |c: char| if c.is_ascii_alphabetic() { c } else { '-' };
    let plain: String = name.to_ascii_lowercase().chars().map(letters).collect();
    let plain = format!("-{plain}-");
    let row = WORDS
        .iter()
        .find(|(word, _)| plain.contains(&format!("-{word}-")));
    row.map(|(_, rank)| *rank)
}

/// The height of each machine. `neighbors` are machines on the same networks.
pub(super) fn ranks(hints: &[Hint], neighbors: &[Vec<usize>]) -> Vec<u32> {
    let mut ranks: Vec<Option<u32>> = hints
        .iter()
        .map(|hint| match hint {
            Hint::Known(rank) => Some(*rank),
            Hint::Unknown => None,
        })
        .collect();
    // From the servers upwards: who has a server beside it is a ToR.
    let below = |rank: u32| (rank <= BOOT).then_some(TOR - 1);
    spread(&mut ranks, neighbors, below);
    spread(&mut ranks, neighbors, Some);
    // Routers only: those with the fewest links are the leaves.
    let unknown: Vec<usize> = (0..ranks.len()).filter(|&it| ranks[it].is_none()).collect();
    let fewest = unknown.iter().map(|&it| neighbors[it].len()).min();
    for &machine in &unknown {
        if Some(neighbors[machine].len()) == fewest {
            ranks[machine] = Some(TOR);
        }
    }
    spread(&mut ranks, neighbors, Some);
    ranks.into_iter().map(|rank| rank.unwrap_or(TOR)).collect()
}

/// Gives those without a rank one more a hop than the nearest that has one; `base` says which count, and
/// from where.
fn spread(ranks: &mut [Option<u32>], neighbors: &[Vec<usize>], base: impl Fn(u32) -> Option<u32>) {
    let mut reached: Vec<Option<u32>> = ranks.iter().map(|rank| rank.and_then(&base)).collect();
    let mut from: Vec<usize> = (0..ranks.len())
        .filter(|&it| reached[it].is_some())
        .collect();
    from.sort_by_key(|&it| reached[it]);
    let mut next: VecDeque<usize> = from.into();
    while let Some(machine) = next.pop_front() {
        let Some(rank) = reached[machine] else {
            continue;
        };
        for &neighbor in &neighbors[machine] {
            if reached[neighbor].is_none() && ranks[neighbor].is_none() {
                reached[neighbor] = Some(rank + 1);
                next.push_back(neighbor);
            }
        }
    }
    for (rank, reached) in ranks.iter_mut().zip(reached) {
        *rank = rank.or(reached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_roles_and_names() {
        assert_eq!(word("Super_Spine"), Some(SUPER_SPINE));
        assert_eq!(word("cs"), None);
        for (name, rank) in [
            ("rack0-tor1", Some(TOR)),
            ("spine1", Some(SPINE)),
            ("super-spine-2", Some(SUPER_SPINE)),
            ("core", Some(CORE)),
            ("history", None),
            ("r1", None),
        ] {
            assert_eq!(in_name(name), rank, "{name}");
        }
    }

    #[test]
    fn hops_from_servers() {
        // server 0 - router 1 - router 2 - router 3, and router 4 alone.
        let hints = [
            Hint::Known(SERVER),
            Hint::Unknown,
            Hint::Unknown,
            Hint::Unknown,
            Hint::Unknown,
        ];
        let neighbors = [vec![1], vec![0, 2], vec![1, 3], vec![2], vec![]];
        assert_eq!(
            ranks(&hints, &neighbors),
            [SERVER, TOR, SPINE, SUPER_SPINE, TOR]
        );
    }

    #[test]
    fn without_servers_the_fewest_links_are_leaves() {
        // Two spines over three leaves.
        let spine = vec![2, 3, 4];
        let leaf = vec![0, 1];
        let neighbors = [spine.clone(), spine, leaf.clone(), leaf.clone(), leaf];
        assert_eq!(
            ranks(&[Hint::Unknown; 5], &neighbors),
            [SPINE, SPINE, TOR, TOR, TOR]
        );
    }
}
