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
    words.extend(line("/proc/meminfo", "MemTotal").map(|memory| ("memory".to_owned(), memory)));
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
