//! Cores and what processes use of them: pinning, CPU seconds, resident memory.

use std::{fs, time::Duration};

/// Most nodes of a cluster that are measured together.
pub(crate) const NODES_MAX: usize = 3;

/// A server whose cost is measured: one process, or the nodes of a cluster. One without a pid runs on
/// another machine, where nobody can tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pid: Option<u32>,
    others: [Option<u32>; NODES_MAX - 1],
}

impl Process {
    pub(crate) fn new(pid: Option<u32>) -> Self {
        Self::of_nodes(pid, [])
    }

    /// Of a cluster's first node and those beside it, [`NODES_MAX`] in all.
    pub(crate) fn of_nodes(pid: Option<u32>, others: impl IntoIterator<Item = u32>) -> Self {
        let mut others = others.into_iter();
        let nodes = Self { pid, others: std::array::from_fn(|_| others.next()) };
        assert!(others.next().is_none(), "at most {NODES_MAX} nodes are measured together");
        nodes
    }

    /// What all of them have of something; `None` where the system does not tell it of one.
    fn sum(self, of: impl Fn(u32) -> Option<u64>) -> Option<u64> {
        let others = self.others.into_iter().flatten();
        std::iter::once(self.pid?).chain(others).map(of).sum()
    }

    /// User and system time of all its threads; `None` where the system does not tell.
    pub(crate) fn cpu(self) -> Option<Duration> {
        let ticks = self.sum(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            cpu_ticks(&stat)
        })?;
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        Some(Duration::from_secs_f64(ticks as f64 / per_second as f64))
    }

    /// Resident memory in bytes; `None` where the system does not tell.
    pub(crate) fn rss_bytes(self) -> Option<u64> {
        let kib = self.sum(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        })?;
        Some(kib * 1_024)
    }

    /// Bytes it wrote to disks; `None` where the system does not tell.
    pub(crate) fn disk_bytes_written(self) -> Option<u64> {
        self.sum(|pid| {
            let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
            let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"))?;
            line.trim().parse().ok()
        })
    }

    /// Binds every thread it has to one core; those it starts later inherit it. Says whether it worked.
    pub(crate) fn pin(self, core: usize) -> bool {
        let pids = [self.pid].into_iter().chain(self.others).flatten();
        let pinned: Vec<bool> = pids.map(|pid| pin(pid, core)).collect();
        !pinned.is_empty() && pinned.into_iter().all(|pinned| pinned)
    }
}

fn pin(pid: u32, core: usize) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let ids: Vec<i32> = tasks
        .flatten()
        .filter_map(|task| task.file_name().to_str().and_then(|id| id.parse().ok()))
        .collect();
    !ids.is_empty() && ids.into_iter().all(|id| affinity::set(Some(id), &[core]))
}

/// Fields 14 and 15 of `/proc/PID/stat`; the name before them may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// CPU time of the calling thread.
pub(crate) fn of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The calling thread on one core, until dropped, and where the system lets it before whatever else runs
/// there: a generator that is late voids its run.
#[derive(Debug)]
pub(crate) struct Pinned {
    before: Vec<usize>,
    /// Its niceness before, where it runs before all others.
    niceness: Option<i32>,
}

impl Pinned {
    /// `None` where the system does not let it.
    pub(crate) fn this_thread_to(core: usize) -> Option<Self> {
        let before = affinity::get()?;
        let pinned = affinity::set(None, &[core]);
        pinned.then(|| Self { before, niceness: turns::first() })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        affinity::set(None, &self.before);
        if let Some(niceness) = self.niceness {
            turns::ordinary(niceness);
        }
    }
}

/// Two cores this process may use: the server's and the generator's.
pub(crate) fn two_cores() -> Option<(usize, usize)> {
    match affinity::get()?.as_slice() {
        [first, second, ..] => Some((*first, *second)),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
mod affinity {
    use rustix::{
        process::Pid,
        thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    };

    pub(super) fn get() -> Option<Vec<usize>> {
        let set = sched_getaffinity(None).ok()?;
        Some((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
    }

    pub(super) fn set(thread: Option<i32>, cores: &[usize]) -> bool {
        let mut set = CpuSet::new();
        for core in cores {
            set.set(*core);
        }
        let thread = match thread {
            None => None,
            Some(id) => match Pid::from_raw(id) {
                Some(pid) => Some(pid),
                None => return false,
            },
        };
        sched_setaffinity(thread, &set).is_ok()
    }
}

/// Whose turn it is on a core.
#[cfg(target_os = "linux")]
mod turns {
    use rustix::process::{getpriority_process, setpriority_process};
    use thread_priority::{
        NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority,
        ThreadPriorityValue, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    /// Of the crate's scale from 0 to 99: niceness 0.
    const MIDDLE: u8 = 48;

    /// The calling thread runs whenever it can, before all ordinary ones. Tells its niceness before;
    /// `None` where the system does not let it, as most users.
    pub(super) fn first() -> Option<i32> {
        let niceness = getpriority_process(None).ok()?;
        let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
        let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
        set.is_ok().then_some(niceness)
    }

    /// It waits for its turn as it did before.
    pub(super) fn ordinary(niceness: i32) -> bool {
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
        let Ok(middle) = ThreadPriorityValue::try_from(MIDDLE) else { return false };
        let middle = ThreadPriority::Crossplatform(middle);
        set_thread_priority_and_policy(thread_native_id(), middle, policy).is_ok()
            && setpriority_process(None, niceness).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod turns {
    pub(super) fn first() -> Option<i32> {
        None
    }

    pub(super) fn ordinary(_: i32) -> bool {
        false
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    pub(super) fn get() -> Option<Vec<usize>> {
        None
    }

    pub(super) fn set(_: Option<i32>, _: &[usize]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 1 0 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("7 (x"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pinned_thread_is_an_ordinary_one_again() {
        use rustix::process::getpriority_process;
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
        };
        let (core, before) = (affinity::get().expect("cores")[0], getpriority_process(None));
        let pinned = Pinned::this_thread_to(core).expect("a core");
        let ordinary = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
        assert_eq!(thread_schedule_policy() == Ok(ordinary), pinned.niceness.is_none());
        drop(pinned);
        assert_eq!(thread_schedule_policy(), Ok(ordinary));
        assert_eq!(getpriority_process(None), before);
    }

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let own = Process::new(Some(std::process::id()));
        assert!(own.rss_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(own.cpu().is_some());
        let elsewhere = Process::new(None);
        assert!(elsewhere.cpu().is_none() && elsewhere.rss_bytes().is_none() && !elsewhere.pin(0));
        let before = of_this_thread();
        let mut sum = 0_u64;
        for number in 0..1_000_000_u64 {
            sum = sum.wrapping_mul(31).wrapping_add(std::hint::black_box(number));
        }
        std::hint::black_box(sum);
        assert!(of_this_thread() > before);
    }
}
