//! Time, percentiles, and which machine it was.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;

/// Durations of single operations.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Sorts what was measured.
    pub fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The duration that `percent` of the operations did not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// Wall time and processor time of something.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// On the wall.
    pub wall: Duration,
    /// In this process, all threads, user and system.
    pub cpu: Duration,
}

/// Starts a measurement; call the result to end it.
pub fn start() -> Result<impl FnOnce() -> Result<Spent>> {
    let (wall, cpu) = (Instant::now(), cpu_of("self")?);
    Ok(move || Ok(Spent { wall: wall.elapsed(), cpu: cpu_of("self")?.saturating_sub(cpu) }))
}

/// Processor time of a process so far, to a hundredth of a second.
pub fn cpu_of(process: &str) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold anything, so count from its closing bracket: user and system time are 12th and 13th.
    let (_, rest) = stat.rsplit_once(") ").ok_or("no process statistics")?;
    let ticks: u64 = rest.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// Operations a second.
pub fn per_second(count: u64, wall: Duration) -> f64 {
    count as f64 / wall.as_secs_f64().max(1e-9)
}

/// Processor, cores, kernel, and how long the disk below `directory` takes to make 4 kB durable.
pub fn machine(directory: &Path) -> Result<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism()?;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let syncs = sync_latency(directory, 200)?;
    Ok(format!(
        "{model}, {cores} cores, Linux {}; durable 4 kB write p50 {:.0} µs, p99 {:.0} µs",
        kernel.trim(),
        syncs.percentile(50).as_secs_f64() * 1e6,
        syncs.percentile(99).as_secs_f64() * 1e6
    ))
}

fn sync_latency(directory: &Path, count: usize) -> Result<Samples> {
    let mut file = std::fs::File::create(directory.join("sync-latency"))?;
    let mut durations = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        durations.push(started.elapsed());
    }
    Ok(Samples::new(durations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let samples = Samples::new((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!(samples.percentile(50), Duration::from_millis(50));
        assert_eq!(samples.percentile(99), Duration::from_millis(99));
        assert_eq!(samples.percentile(100), Duration::from_millis(100));
        assert_eq!(Samples::default().percentile(99), Duration::ZERO);
    }

    #[test]
    fn processor_time_of_this_process_can_be_read() {
        assert!(cpu_of("self").unwrap() < Duration::from_secs(3600));
        assert!(cpu_of("no such process").is_err());
    }
}
