//! Files that are followed as `tail -F` does: through rotation, truncation, deletion and re-creation.
//!
//! ```text
//!   app.log.2.gz  app.log.1  app.log       read one after the other, oldest first
//!                            app.log ───── grows ── renamed, and a new one ── truncated ── deleted … there again
//!                            input 3 ────────────┤  input 4 ─────────────┤  input 5 ──┤              input 6 ──
//! ```
//!
//! What is written to one inode from its first byte until it is truncated is one *incarnation*, and one input: it
//! begins with its own header, and a line that its end cuts off is a record.
//!
//! What nobody can see: bytes that are written and truncated away between two looks; a file that comes and loses
//! its name between two looks; a file that is written anew with the same first and last 1,024 bytes before the
//! place where reading was; what is written to a file 5 s after another took its name, if no pattern finds it. A
//! look is taken when the system says that something happened, and every second.
//!
//! What it costs: a look globs every pattern and asks the system about every path and every open file, whichever of
//! them grew, and up to 100 looks are taken in a second while names change in a folder (`LOOK_PAUSE`). With
//! [`Begin::End`] the bytes that are there are read, at the speed of the disk, and passed over
//! (`RecordReader::pass_old`): a header may be among them, and where records end is told from the beginning alone.
//!
//! Invariants: an incarnation is read to its end before the next one of its path begins; nothing is read twice,
//! under whatever name it is found again; nothing here waits.

mod copies;
mod done;
mod incarnation;
mod initial;
mod leftover;
mod names;
mod opening;
mod own;
mod trail;
mod watch;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use copies::Remembered;
use done::Done;
use incarnation::{FollowedSource, Inode, inode};
use initial::Found;
use leftover::Leftovers;
use opening::opened;
use own::Own;
use trail::{Entry, Judgement, Origin, Step, Trail};
use watch::Watch;

use super::file::{folder_of, is_pattern, near_file};
use super::{Arrival, Arrivals, Compression, Ending, Notice, Reason};
use crate::error::{Error, Result};

/// How often all files are looked at, whatever the system says.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often at most, however much happens in a folder.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// How long to wait for whoever reads, where the next input depends on it.
const READING: Duration = Duration::from_millis(1);

/// Where following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begin {
    /// With the first byte of the oldest file.
    #[default]
    Start,
    /// Behind what is there already.
    End,
    /// With what is of this time or later, in microseconds since 1970: whoever reads knows the times of records,
    /// and here only files are left out that were written before, for good measure by a day.
    Since(i64),
}

/// What comes of asking for an incarnation.
enum Given {
    /// It may be read.
    Source(FollowedSource),
    /// There is none before somebody has read on, which is soon.
    Reading,
    /// There is none until something happens.
    Nothing,
}

/// Follows files.
pub struct Follow {
    name: String,
    names: Vec<String>,
    compression: Compression,
    begin: Begin,
    trails: BTreeMap<String, Trail>,
    /// The files that were there at the beginning and have not been read yet, oldest first.
    initial: VecDeque<Found>,
    /// Files that have been read to their end or left out.
    done: Done,
    remembered: Remembered,
    leftovers: Leftovers,
    own: Own,
    watch: Watch,
    looked: Option<Duration>,
    /// Names have changed since then.
    has_stirred: bool,
    notices: VecDeque<Notice>,
}

impl Follow {
    /// Follows what these paths and patterns mean, but for files of patterns that the run itself writes. What is
    /// not there is waited for.
    ///
    /// # Errors
    /// A path that leads to what is no file, or may not be read; a pattern that is none.
    pub fn new(
        names: Vec<String>,
        compression: Compression,
        begin: Begin,
        written: Vec<PathBuf>,
    ) -> Result<Self> {
        let mut follow = Follow {
            name: names.join(", "),
            names,
            compression,
            begin,
            trails: BTreeMap::new(),
            initial: VecDeque::new(),
            done: Done::default(),
            remembered: Remembered::default(),
            leftovers: Leftovers::default(),
            own: Own::new(written),
            watch: Watch::new(),
            looked: None,
            has_stirred: false,
            notices: VecDeque::new(),
        };
        follow.find_initial()?;
        Ok(follow)
    }

    /// The paths that the names mean now, and whether a pattern found them. Their folders are watched.
    fn paths(&mut self) -> Result<BTreeMap<String, bool>> {
        let mut paths = BTreeMap::new();
        for name in &self.names {
            if !is_pattern(name) {
                self.watch.folder(folder_of(Path::new(name)));
                paths.insert(name.clone(), false);
                continue;
            }
            let before = name.find(['*', '?', '[']).unwrap_or(name.len());
            self.watch.folder(folder_of(Path::new(&name[..=before])));
            let matches = glob::glob(name).map_err(|error| {
                Error::usage(format!("`{name}` is no pattern")).cause(error.msg)
            })?;
            // A folder that may not be looked into holds nothing.
            let matches: Vec<PathBuf> = matches.flatten().collect();
            self.own.look();
            for found in matches.into_iter().filter(|path| path.is_file()) {
                self.watch.folder(folder_of(&found));
                if self.own.holds(&found) {
                    let told = self.own.told(&found);
                    self.notices.extend(told.map(Notice::remark));
                    continue;
                }
                let path = found.to_string_lossy().into_owned();
                paths.entry(path).or_insert(true);
            }
        }
        Ok(paths)
    }

    /// The files that are being read or wait for it.
    fn known(&self) -> HashSet<Inode> {
        let entries = self.trails.values().flat_map(Trail::entries);
        let read = entries.map(|entry| entry.incarnation.inode);
        let waiting = self.initial.iter().filter(|one| one.is_waiting);
        read.chain(waiting.map(|one| one.inode)).collect()
    }

    /// True if several files may hold the same.
    fn are_several(&self) -> bool {
        self.names.len() > 1 || self.names.iter().any(|name| is_pattern(name))
    }

    /// Looks where the paths lead now.
    fn look(&mut self, now: Duration) -> Result<()> {
        self.looked = Some(now);
        self.has_stirred = false;
        let paths = self.paths()?;
        for (path, is_match) in &paths {
            if !self.trails.contains_key(path) {
                self.trails.insert(path.clone(), Trail::new(*is_match));
            }
        }
        // Not all is heard of.
        let entries = self.trails.values().flat_map(Trail::entries);
        entries.for_each(|entry| entry.incarnation.stir());
        let mut known = self.known();
        let mut done = Vec::new();
        let trails: Vec<String> = self.trails.keys().cloned().collect();
        for path in trails {
            let is_there = self.look_at(&path, &mut known, now);
            if let Some(trail) = self.trails.get_mut(&path) {
                trail.tidy(is_there, now, &mut done);
            }
        }
        self.trails.retain(|path, trail| {
            let is_over = trail.queue.is_empty() && trail.leaving.is_empty();
            !(trail.is_match && is_over && !paths.contains_key(path))
        });
        self.forget(done);
        let told = self.leftovers.tell(now);
        self.notices.extend(told.into_iter().map(Notice::warning));
        Ok(())
    }

    /// Looks where a path leads now; true if to the last of its incarnations.
    fn look_at(&mut self, path: &str, known: &mut HashSet<Inode>, now: Duration) -> bool {
        let last = self.trails.get(path).and_then(|trail| trail.queue.back());
        let last = last.map(|last| last.incarnation.inode);
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.tell_missing(path, &error);
                return false;
            }
        };
        if known.contains(&inode(&metadata)) {
            return last == Some(inode(&metadata));
        }
        if self.done.holds(&metadata) {
            return false;
        }
        let incarnation = match opened(path) {
            Ok((incarnation, _)) if known.contains(&incarnation.inode) => {
                return last == Some(incarnation.inode);
            }
            Ok((incarnation, metadata)) => match self.continued(incarnation, &metadata) {
                Some(incarnation) => incarnation,
                None => return false,
            },
            Err(error) => {
                self.tell_missing(path, &error);
                return false;
            }
        };
        known.insert(incarnation.inode);
        let mut entry = Entry::arrived(incarnation, now);
        entry.watch = self.watch.file(path);
        if let Some(trail) = self.trails.get_mut(path) {
            trail.told = None;
            trail.queue.push_back(entry);
        }
        true
    }

    /// Says once what is wrong with a path, which is waited for.
    fn tell_missing(&mut self, path: &str, error: &io::Error) {
        let Some(trail) = self.trails.get_mut(path) else {
            return;
        };
        let is_absent = error.kind() == io::ErrorKind::NotFound;
        let text = match is_absent {
            true => String::new(),
            false => Reason(error).to_string(),
        };
        if trail.told.as_ref() == Some(&text) || (is_absent && trail.is_match) {
            return;
        }
        self.notices.push_back(match is_absent {
            true => Notice::remark(format!("`{path}` is gone: waiting for it to come again")),
            false => Notice::warning(format!("cannot open `{path}`: {text}; waiting for it")),
        });
        trail.told = Some(text);
    }

    /// The next incarnation that may be read.
    fn give(&mut self, now: Duration) -> Given {
        let mut given = Given::Nothing;
        let mut done = Vec::new();
        let paths: Vec<String> = match self.initial.front() {
            Some(first) => vec![first.path.clone()],
            None => self.trails.keys().cloned().collect(),
        };
        for path in paths {
            let Some(trail) = self.trails.get_mut(&path) else {
                continue;
            };
            let next = match trail.step(now, &mut done) {
                Step::Ready => self.give_first(&path, now, &mut done),
                Step::Reading => Given::Reading,
                Step::Nothing => Given::Nothing,
            };
            match next {
                Given::Source(_) => {
                    given = next;
                    break;
                }
                Given::Reading => given = next,
                Given::Nothing => {}
            }
        }
        self.forget(done);
        given
    }

    /// Gives the first incarnation of a path, if it is new and enough of it is there to know what it is.
    fn give_first(&mut self, path: &str, now: Duration, done: &mut Vec<Entry>) -> Given {
        let are_several = self.are_several();
        let Some(trail) = self.trails.get_mut(path) else {
            return Given::Nothing;
        };
        let has_next = trail.queue.len() > 1;
        let Some(front) = trail.queue.front_mut() else {
            return Given::Nothing;
        };
        let remembered = are_several.then_some(&self.remembered);
        let is_compressed = match front.judge(has_next, now, self.compression, remembered) {
            Judgement::Unknown => return Given::Nothing,
            Judgement::CopyOf(original) => {
                let text =
                    format!("`{path}` is left out: it begins as `{original}`, which was read");
                self.notices.push_back(Notice::remark(text));
                done.extend(trail.queue.pop_front());
                // Another may be behind it.
                return Given::Reading;
            }
            Judgement::New { is_compressed } => is_compressed,
        };
        let whence = match front.origin {
            Origin::Initial { .. } => None,
            Origin::Arrived => Some("reading what has come from its beginning"),
            Origin::Continued => Some("reading what has been added"),
        };
        let told = whence.map(|whence| Notice::remark(format!("`{path}`: {whence}")));
        self.notices.extend(told);
        front.is_compressed = is_compressed;
        front.is_given = true;
        let incarnation = Arc::clone(&front.incarnation);
        if is_compressed || front.origin == (Origin::Initial { is_history: true }) {
            incarnation.close();
        }
        if are_several && !is_compressed {
            self.remembered.add(&incarnation);
        }
        Given::Source(FollowedSource::new(incarnation))
    }

    /// Moves on to the next of the files that were there at the beginning, if the first has been read.
    fn pass_initial(&mut self) -> bool {
        let Some(first) = self.initial.front() else {
            return false;
        };
        let front = self
            .trails
            .get(&first.path)
            .and_then(|trail| trail.queue.front());
        let is_read = front.is_none_or(|front| {
            if !front.is_initial() {
                return true;
            }
            match front.is_given {
                true => front.is_read(),
                false => !front.has_begun(),
            }
        });
        if is_read {
            self.initial.pop_front();
        }
        is_read
    }
}

impl Arrivals for Follow {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, now: Duration) -> Result<Arrival> {
        self.has_stirred |= self.watch.has_stirred();
        let stirred = self.watch.stirred();
        if !stirred.is_empty() {
            let entries = self.trails.values().flat_map(Trail::entries);
            entries
                .filter(|entry| entry.watch.is_some_and(|watch| stirred.contains(&watch)))
                .for_each(|entry| entry.incarnation.stir());
        }
        let pause = if self.has_stirred {
            LOOK_PAUSE
        } else {
            LOOK_EVERY
        };
        let is_due = |looked: Duration| now.saturating_sub(looked) >= pause;
        if self.looked.is_none_or(is_due) {
            self.look(now)?;
        }
        loop {
            self.open_first();
            let is_reading = match self.give(now) {
                Given::Source(source) => return Ok(Arrival::Input(Box::new(source))),
                Given::Reading => true,
                Given::Nothing => false,
            };
            if self.pass_initial() {
                continue;
            }
            // Whoever heard of it asked for something else, and has not read it.
            let is_unread = |entry: &Entry| {
                let incarnation = &entry.incarnation;
                let is_over = incarnation.is_gone() || incarnation.is_leaving();
                entry.is_given && incarnation.has_stirred() && !is_over
            };
            let mut entries = self.trails.values().flat_map(Trail::entries);
            let is_reading = is_reading || entries.any(is_unread);
            let until = match is_reading || !self.initial.is_empty() {
                true => now + READING,
                false if self.has_stirred => self.looked.unwrap_or(now) + LOOK_PAUSE,
                false => self.looked.unwrap_or(now) + LOOK_EVERY,
            };
            return Ok(Arrival::Later(Some(until)));
        }
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        self.watch.fd()
    }

    fn closed(&mut self, name: &str, ending: &Ending, _now: Duration) {
        if let Ending::Broken(why) = ending {
            let text = format!("`{name}` is read no further: {why}");
            self.notices.push_back(Notice::warning(text));
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }
}

fn not_there(path: &str) -> String {
    let waiting = format!("waiting for `{path}`: it does not exist yet");
    if let Ok(target) = std::fs::read_link(path) {
        return format!(
            "waiting for `{path}`: it leads to `{}`, which does not exist yet",
            target.display()
        );
    }
    match near_file(path) {
        Some(near) => format!("{waiting} (did you mean `{near}`?)"),
        None => waiting,
    }
}

#[cfg(test)]
mod tests;
