//! How much memory the process may still take, where somebody has set a limit (`ulimit -v`, `ulimit -d`).

use rustix::process::{Resource, getrlimit};

/// The bytes that may still be taken; `None` without a limit, or where the system does not tell.
pub fn bytes_left() -> Option<u64> {
    let limits = [(Resource::As, "VmSize:"), (Resource::Data, "VmData:")];
    let left = limits.into_iter().filter_map(|(resource, name)| {
        let limit = getrlimit(resource).current?;
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        Some(limit.saturating_sub(taken_bytes(&status, name)?))
    });
    left.min()
}

/// `VmSize:    123456 kB`
fn taken_bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_read_from_a_line() {
        let status =
            "Name:\ttumble\nVmPeak:\t    3000 kB\nVmSize:\t    2048 kB\nVmData:\t       x kB\n";
        assert_eq!(taken_bytes(status, "VmSize:"), Some(2 << 20));
        assert_eq!(taken_bytes(status, "VmData:"), None);
        assert_eq!(taken_bytes(status, "VmLck:"), None);
    }
}
