//! What a result was measured on, in a line.

use std::fs;

/// Processor, cores this process may use, memory and kernel; what the system does not tell is left out.
pub(crate) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    describe(&read("/proc/cpuinfo"), cores, &read("/proc/meminfo"), &read("/proc/version"))
}

fn describe(cpuinfo: &str, cores: usize, meminfo: &str, version: &str) -> String {
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    let memory = field(meminfo, "MemTotal").and_then(|value| {
        let kib: u64 = value.strip_suffix(" kB")?.parse().ok()?;
        Some(format!("{:.0} GiB", kib as f64 / f64::from(1 << 20)))
    });
    let kernel = version.split(' ').nth(2).map(|release| format!("Linux {release}"));
    let parts = [Some(cores), field(cpuinfo, "model name"), memory, kernel];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_described_by_what_the_system_tells() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC\nprocessor\t: 1\n";
        let found = describe(cpuinfo, 2, "MemTotal:  25165824 kB\n", "Linux version 6.18.5 (x)");
        assert_eq!(found, "2 cores, AMD EPYC, 24 GiB, Linux 6.18.5");
        assert_eq!(describe("", 1, "", ""), "1 core");
    }
}
