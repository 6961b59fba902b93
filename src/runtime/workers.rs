//! The threads of a run: they do tasks that depend on nothing but what they were given.
//!
//! ```text
//!   the loop ── spawn ──► tasks  [ 9 8 7 ] ─► worker, worker, …      the loop helps while it has nothing better
//!            ◄─ Pending ◄────────────────────── results
//!            ── repeat ─► rounds [ source 1, source 2 ]              once more as long as a round says so
//! ```
//!
//! Tasks go before rounds. To wake a thread costs more than a small task: nobody is woken who does not sleep.
//!
//! Invariants: it shows nowhere how many threads there are. The threads start with the first task: a query that
//! has none costs none. Whoever spawns bounds the number of tasks.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

type Task = Box<dyn FnOnce() + Send>;
/// True if it wants another round.
type Round = Box<dyn FnMut() -> bool + Send>;

/// Threads that do tasks; see the module.
pub(super) struct Workers {
    count: usize,
    shared: Arc<Shared>,
    threads: OnceLock<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A task came, or the end.
    task: Condvar,
    /// A task is done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    rounds: VecDeque<Round>,
    /// Tasks that were done.
    done: u64,
    ended: bool,
    /// Workers that sleep.
    idle: usize,
    /// True while the loop waits until a task is done.
    is_awaited: bool,
}

/// The result of a task, once it is done.
pub(super) struct Pending<T>(Arc<Mutex<Option<thread::Result<T>>>>);

impl<T> Pending<T> {
    /// The result, if the task is done; once. A panic of the task goes on here.
    pub(super) fn take(&self) -> Option<T> {
        match lock(&self.0).take()? {
            Ok(result) => Some(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Workers {
    /// `threads` in all, the one that calls among them; `None` for one on each core.
    pub(super) fn new(threads: Option<usize>) -> Self {
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Workers {
            count: threads.unwrap_or_else(cores).max(1),
            shared: Arc::default(),
            threads: OnceLock::new(),
        }
    }

    /// How many threads there are, with the one that calls.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Has a task done by whoever is free.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Pending<T> {
        self.threads.get_or_init(|| self.start());
        let place = Arc::new(Mutex::new(None));
        let result = Arc::clone(&place);
        let task = move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            *lock(&result) = Some(done);
        };
        let mut state = lock(&self.shared.state);
        state.tasks.push_back(Box::new(task));
        self.shared.wake_one(&state);
        Pending(place)
    }

    /// Has a worker go round and round while `round` says so, and while there is no task. It must not panic.
    pub(super) fn repeat(&self, round: impl FnMut() -> bool + Send + 'static) {
        self.threads.get_or_init(|| self.start());
        let mut state = lock(&self.shared.state);
        state.rounds.push_back(Box::new(round));
        self.shared.wake_one(&state);
    }

    /// Does a task that waits, or waits until another one is done. `done` is what [`Workers::done`] was when
    /// the caller last looked for results.
    pub(super) fn help(&self, done: u64) {
        let mut state = lock(&self.shared.state);
        if let Some(task) = state.tasks.pop_front() {
            drop(state);
            self.shared.run(task);
            return;
        }
        while state.done == done {
            state.is_awaited = true;
            state = (self.shared.done.wait(state)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many tasks are done.
    pub(super) fn done(&self) -> u64 {
        lock(&self.shared.state).done
    }

    /// All threads but this one; fewer if the machine gives no more: then those do it all.
    fn start(&self) -> Vec<JoinHandle<()>> {
        let start = |number: usize| {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name(format!("worker {number}"));
            thread.spawn(move || shared.work()).ok()
        };
        (1..self.count).map_while(start).collect()
    }
}

impl Shared {
    /// The life of a worker.
    fn work(&self) {
        let mut state = lock(&self.state);
        while !state.ended {
            if let Some(task) = state.tasks.pop_front() {
                drop(state);
                self.run(task);
                state = lock(&self.state);
            } else if let Some(mut round) = state.rounds.pop_front() {
                drop(state);
                let again = round();
                state = lock(&self.state);
                if again {
                    state.rounds.push_back(round);
                }
            } else {
                state.idle += 1;
                state = (self.task.wait(state)).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    /// Wakes a worker, if one sleeps.
    fn wake_one(&self, state: &State) {
        if state.idle > 0 {
            self.task.notify_one();
        }
    }

    fn run(&self, task: Task) {
        task();
        let mut state = lock(&self.state);
        state.done += 1;
        if std::mem::take(&mut state.is_awaited) {
            self.done.notify_one();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.ended = true;
        // A LIMIT may leave blocks behind that nobody needs.
        state.tasks.clear();
        state.rounds.clear();
        drop(state);
        self.shared.task.notify_all();
        for thread in self.threads.take().into_iter().flatten() {
            // Panics of tasks were caught.
            let _ = thread.join();
        }
    }
}

/// A task that panics holds no lock: what is behind it is whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn rounds_go_on_as_long_as_they_say_so_and_tasks_go_before_them() {
        let workers = Workers::new(Some(2));
        let (told, heard) = mpsc::sync_channel(100);
        for name in ["a", "b"] {
            let (told, mut left) = (told.clone(), 5);
            workers.repeat(move || {
                left -= 1;
                told.send(name).unwrap();
                left > 0
            });
        }
        let mut rounds: Vec<&str> = (0..10).map(|_| heard.recv().unwrap()).collect();
        rounds.sort_unstable();
        assert_eq!(rounds, ["a", "a", "a", "a", "a", "b", "b", "b", "b", "b"]);
        let (go, gone) = mpsc::sync_channel::<()>(0);
        let round_told = told.clone();
        workers.repeat(move || {
            round_told.send("round").unwrap();
            gone.recv().is_ok()
        });
        assert_eq!(heard.recv(), Ok("round"));
        workers.spawn(move || told.send("task").unwrap());
        go.send(()).unwrap();
        assert_eq!([heard.recv(), heard.recv()], [Ok("task"), Ok("round")]);
        drop(go);
    }

    #[test]
    fn all_tasks_are_done_with_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let workers = Workers::new(Some(threads));
            let mut pending: VecDeque<Pending<usize>> =
                (0..50).map(|n| workers.spawn(move || n * n)).collect();
            let mut results = Vec::new();
            while let Some(first) = pending.front() {
                let done = workers.done();
                match first.take() {
                    Some(result) => {
                        results.push(result);
                        pending.pop_front();
                    }
                    None => workers.help(done),
                }
            }
            assert_eq!(results, (0..50).map(|n| n * n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn tasks_that_nobody_waits_for_end_with_the_run() {
        let workers = Workers::new(Some(2));
        for _ in 0..100 {
            workers.spawn(|| ());
        }
        drop(workers);
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_panic_reaches_the_one_who_asked() {
        let workers = Workers::new(Some(2));
        let pending = workers.spawn(|| panic!("seven"));
        loop {
            let done = workers.done();
            if let Some(()) = pending.take() {
                break;
            }
            workers.help(done);
        }
    }
}
