//! Random operations on logs against a model of what was written: nothing is lost, nothing is doubled.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::*;
use crate::connect::{ByteSource, decompressed};

/// When files were written that are aged.
const AGED_SECONDS: u64 = 1_767_268_800;

/// A folder of a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tumble-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn gzip(&self, name: &str) {
        self.gzip_keep(name);
        self.remove(name);
    }

    /// Has a file be written last so long ago.
    fn age(&self, name: &str, seconds: u64) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(AGED_SECONDS - seconds);
        file.set_modified(written).unwrap();
    }

    /// How many files in the folder this process has open.
    fn open_files(&self) -> usize {
        let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let paths = open.filter_map(|fd| fs::read_link(fd.path()).ok());
        paths.filter(|path| path.starts_with(&self.0)).count()
    }

    fn gzip_keep(&self, name: &str) {
        let bytes = fs::read(self.path(name)).unwrap();
        let file = File::create(self.path(&format!("{name}.gz"))).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Reads what is followed, as a run does.
struct Run {
    follow: Follow,
    inputs: Vec<Input>,
    now: Duration,
    said: Vec<String>,
}

struct Input {
    name: String,
    text: String,
    /// `None` once it has ended.
    source: Option<Box<dyn ByteSource>>,
}

impl Run {
    fn new(names: &[String], begin: Begin) -> Self {
        Run::that_writes(Vec::new(), names, begin)
    }

    fn that_writes(written: Vec<PathBuf>, names: &[String], begin: Begin) -> Self {
        Run {
            follow: Follow::new(names.to_vec(), Compression::Auto, begin, written).unwrap(),
            inputs: Vec::new(),
            now: Duration::from_secs(1),
            said: Vec::new(),
        }
    }

    /// Looks, and reads all that is there.
    fn look(&mut self) {
        self.now += LOOK_PAUSE;
        let mut is_quiet = false;
        loop {
            let until = match self.follow.ask(self.now).unwrap() {
                Arrival::Input(source) => {
                    self.inputs.push(Input {
                        name: source.name().to_owned(),
                        text: String::new(),
                        source: Some(decompressed(source, Compression::Auto)),
                    });
                    is_quiet = false;
                    continue;
                }
                Arrival::Later(until) => until.unwrap(),
                Arrival::End => panic!("following does not end"),
            };
            while let Some(notice) = self.follow.notice() {
                self.said.push(notice.text);
            }
            let soon = until <= self.now + READING;
            if is_quiet && !soon {
                return;
            }
            is_quiet = !self.read() && !soon;
            self.now += READING;
        }
    }

    /// Reads what is there; true if there was something.
    fn read(&mut self) -> bool {
        let mut has_read = false;
        for input in &mut self.inputs {
            let mut buffer = [0; 700];
            while let Some(source) = &mut input.source {
                match source.read(&mut buffer) {
                    Ok(0) => input.source = None,
                    Ok(length) => {
                        let text = std::str::from_utf8(&buffer[..length]).unwrap();
                        input.text.push_str(text);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{}: {error}", input.name),
                }
                has_read = true;
            }
        }
        has_read
    }

    /// As [`Run::look`], after some time.
    fn look_after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.look();
    }

    fn texts(&self) -> Vec<&str> {
        let texts = self.inputs.iter().map(|input| input.text.as_str());
        texts.filter(|text| !text.is_empty()).collect()
    }

    fn ended(&self) -> Vec<bool> {
        let sources = self.inputs.iter().map(|input| input.source.is_none());
        sources.collect()
    }
}

/// Numbers that look random, the same ones for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn what_was_there_comes_first_and_the_rest_as_it_is_written() {
    let folder = Folder::new("follow-plain");
    let path = folder.path("app.log");
    folder.write("app.log", "a\nb");
    let mut run = Run::new(std::slice::from_ref(&path), Begin::Start);
    run.look();
    assert_eq!(run.texts(), ["a\nb"]);
    folder.append("app.log", "c\nd\n");
    run.look();
    assert_eq!(run.texts(), ["a\nbc\nd\n"]);
    assert_eq!(run.ended(), [false]);
    assert_eq!(run.said, [""; 0]);
}

#[test]
fn a_file_that_is_not_there_is_waited_for() {
    let folder = Folder::new("follow-absent");
    let path = folder.path("app.log");
    folder.write("apq.log", "");
    let mut run = Run::new(std::slice::from_ref(&path), Begin::Start);
    run.look_after(5);
    run.look_after(5);
    assert_eq!(run.said.len(), 1, "{:?}", run.said);
    assert!(run.said[0].starts_with("waiting for `"), "{:?}", run.said);
    assert!(run.said[0].contains("did you mean"), "{:?}", run.said);
    folder.write("app.log", "");
    run.look();
    folder.append("app.log", "a\n");
    run.look();
    assert_eq!(run.texts(), ["a\n"]);
}

#[test]
fn a_link_that_leads_nowhere_is_waited_for() {
    let folder = Folder::new("follow-link");
    std::os::unix::fs::symlink("app-1.log", folder.path("app.log")).unwrap();
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    assert!(
        run.said[0].contains("it leads to `app-1.log`, which"),
        "{:?}",
        run.said
    );
    folder.write("app-1.log", "1\n");
    run.look_after(1);
    assert_eq!(run.texts(), ["1\n"]);
}

#[test]
fn the_old_file_is_read_to_its_end_before_the_new_one() {
    let folder = Folder::new("follow-rotation");
    folder.write("app.log", "h\n1\n");
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    folder.append("app.log", "2\n");
    folder.rename("app.log", "app.log.1");
    folder.write("app.log", "");
    folder.append("app.log.1", "3\n");
    run.look();
    // The new one has nothing: whoever writes may not have noticed.
    folder.append("app.log.1", "4\n");
    run.look();
    folder.append("app.log.1", "5\n");
    folder.append("app.log", "h\n6\n");
    run.look();
    assert_eq!(run.texts(), ["h\n1\n2\n3\n4\n5\n", "h\n6\n"]);
    // One of several writers is late.
    folder.append("app.log.1", "7\n");
    run.look_after(2);
    assert_eq!(run.texts(), ["h\n1\n2\n3\n4\n5\n7\n", "h\n6\n"]);
    run.look_after(4);
    assert_eq!(run.ended(), [true, false]);
}

#[test]
fn an_empty_file_that_was_rotated_may_still_be_written_to() {
    let folder = Folder::new("follow-late");
    folder.write("app.log", "");
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    folder.rename("app.log", "app.log.1");
    folder.write("app.log", "2\n");
    run.look();
    folder.append("app.log.1", "1\n");
    run.look_after(1);
    folder.append("app.log", "4\n");
    folder.append("app.log.1", "3\n");
    run.look_after(1);
    assert_eq!(run.texts(), ["2\n4\n", "1\n3\n"]);
    run.look_after(6);
    assert_eq!(run.ended(), [false, true]);
}

#[test]
fn the_rest_of_a_line_ends_with_its_file() {
    let folder = Folder::new("follow-rest");
    folder.write("app.log", "1\n2");
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    folder.rename("app.log", "app.log.1");
    folder.write("app.log", "3\n");
    run.look();
    assert_eq!(run.texts(), ["1\n2", "3\n"]);
    assert_eq!(run.ended(), [true, false]);
}

#[test]
fn what_an_old_writer_adds_to_half_a_line_is_told() {
    let folder = Folder::new("follow-half");
    folder.write("app.log", "1\n2");
    folder.write("web.log", "1\n2");
    let names = ["app.log", "web.log"].map(|name| folder.path(name));
    let mut run = Run::new(&names, Begin::Start);
    run.look();
    for name in ["app.log", "web.log"] {
        folder.rename(name, &format!("{name}.1"));
        folder.write(name, "3\n4\n");
    }
    run.look_after(1);
    assert!(!run.said.iter().any(|text| text.contains("not read")));
    folder.append("app.log.1", "0\n5\n");
    run.look_after(1);
    folder.append("app.log.1", "6\n");
    run.look_after(1);
    let mut texts = run.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["1\n2", "1\n2", "3\n4\n", "3\n4\n"]);
    let told = run
        .said
        .iter()
        .filter(|text| text.contains("not read, 4 B"));
    assert_eq!(told.count(), 1, "{:?}", run.said);
}

#[test]
fn what_is_written_anew_into_the_same_file_is_read_from_its_beginning() {
    let folder = Folder::new("follow-truncation");
    folder.write("app.log", "1\n2\n");
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    for text in ["3\n", "4\n", "5\n6\n7\n", "8\n9\n0\n"] {
        folder.write("app.log", text);
        run.look();
    }
    assert_eq!(
        run.texts(),
        ["1\n2\n", "3\n", "4\n", "5\n6\n7\n", "8\n9\n0\n"]
    );
    folder.write("app.log", "");
    run.look();
    assert_eq!(run.ended(), [true; 5]);
}

#[test]
fn what_was_copied_and_truncated_is_read_once_whatever_the_copy_is_called() {
    for name in ["app.log.1", "app.log.saved2", "app.log-copy3", "app.log.c"] {
        let folder = Folder::new(&format!("follow-copied-as-{name}"));
        let lines = |from: u32| {
            let line = |number| format!("{number},{}\n", "x".repeat(60));
            (from..from + 40).map(line).collect::<String>()
        };
        folder.write("app.log", &lines(0));
        let mut run = Run::new(&[folder.path("app.log*")], Begin::Start);
        run.look();
        fs::copy(folder.path("app.log"), folder.path(name)).unwrap();
        folder.write("app.log", "");
        run.look();
        folder.append("app.log", &lines(40));
        for _ in 0..10 {
            run.look_after(5);
        }
        assert_eq!(run.texts().concat(), lines(0) + &lines(40), "{name}");
    }
}

#[test]
fn a_deleted_file_is_closed_when_nobody_writes_to_it() {
    let folder = Folder::new("follow-deletion");
    folder.write("app.log", "1\n2");
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    run.look();
    folder.remove("app.log");
    run.look();
    assert_eq!(run.ended(), [false]);
    run.look_after(6);
    assert_eq!(run.ended(), [true]);
    folder.write("app.log", "3\n");
    run.look();
    assert_eq!(run.texts(), ["1\n2", "3\n"]);
    assert!(run.said[0].contains("is gone"), "{:?}", run.said);
}

#[test]
fn from_the_end_the_old_bytes_are_told() {
    let folder = Folder::new("follow-end");
    folder.write("app.log", "h\n1\n2");
    folder.write("app.log.1", "h\n0\n");
    folder.gzip("app.log.1");
    let names = [folder.path("app.log.1.gz"), folder.path("app.log")];
    let mut run = Run::new(&names, Begin::End);
    run.look();
    assert_eq!(run.inputs.len(), 1, "what is compressed is old as a whole");
    let source = run.inputs[0].source.as_ref().unwrap();
    assert_eq!(source.old_bytes(), 5);
    folder.append("app.log", "3\n");
    folder.rename("app.log", "app.log.1");
    folder.write("app.log", "h\n4\n");
    run.look();
    let source = run.inputs[1].source.as_ref().unwrap();
    assert_eq!(source.old_bytes(), 0);
    assert_eq!(run.texts(), ["h\n1\n23\n", "h\n4\n"]);
}

#[test]
fn history_is_read_oldest_first() {
    let folder = Folder::new("follow-history");
    for (name, text) in [
        ("app.log.3", "1\n"),
        ("app.log.2", "2\n"),
        ("app.log.1", "3\n"),
    ] {
        folder.write(name, text);
    }
    folder.gzip("app.log.3");
    folder.gzip("app.log.2");
    folder.write("app.log", "4\n");
    let mut run = Run::new(&[folder.path("app.log*")], Begin::Start);
    run.look();
    assert_eq!(run.texts(), ["1\n", "2\n", "3\n", "4\n"]);
    assert_eq!(run.ended(), [true, true, false, false]);
}

#[test]
fn history_is_opened_when_its_turn_comes() {
    history_in_turn(true, 1);
    // All were copied just now.
    history_in_turn(false, 9);
}

fn history_in_turn(is_aged: bool, open_files: usize) {
    let folder = Folder::new("follow-many");
    for number in 1..=200 {
        let name = format!("app.log.{number}");
        folder.write(&name, &format!("{}\n", 200 - number));
        if is_aged {
            folder.age(&name, 100 + number);
        }
    }
    folder.gzip("app.log.200");
    folder.write("app.log", "200\n");
    let mut run = Run::new(&[folder.path("app.log*")], Begin::Start);
    assert_eq!(folder.open_files(), open_files);
    run.look();
    let expected: Vec<String> = (0..=200).map(|number| format!("{number}\n")).collect();
    assert_eq!(run.texts(), expected);
    assert_eq!(folder.open_files(), open_files);
    assert_eq!(run.said, [""; 0]);
}

#[test]
fn what_is_rotated_before_its_turn_is_read_once() {
    for names in [
        vec!["app.log*"],
        vec!["app.log.3", "app.log", "app.log.1", "app.log.2"],
    ] {
        let folder = Folder::new("follow-turns");
        for (number, name) in ["app.log.3", "app.log.2", "app.log.1", "app.log"]
            .iter()
            .enumerate()
        {
            folder.write(name, &format!("{number}\n"));
            folder.age(name, 1_000 - 100 * number as u64);
        }
        let names: Vec<String> = names.iter().map(|name| folder.path(name)).collect();
        let mut run = Run::new(&names, Begin::Start);
        for number in (1..=3).rev() {
            folder.rename(
                &format!("app.log.{number}"),
                &format!("app.log.{}", number + 1),
            );
        }
        folder.rename("app.log", "app.log.1");
        folder.write("app.log", "4\n");
        run.look_after(2);
        run.look_after(2);
        assert_eq!(
            run.texts(),
            ["0\n", "1\n", "2\n", "3\n", "4\n"],
            "{:?}",
            run.said
        );
    }
}

#[test]
fn what_is_removed_before_its_turn_is_told() {
    let folder = Folder::new("follow-removed");
    for (number, name) in ["app.log.1", "app.log"].iter().enumerate() {
        folder.write(name, &format!("{number}\n"));
        folder.age(name, 1_000 - 100 * number as u64);
    }
    let mut run = Run::new(&[folder.path("app.log*")], Begin::Start);
    folder.remove("app.log.1");
    run.look();
    assert_eq!(run.texts(), ["1\n"]);
    assert!(
        run.said[0].contains("app.log.1` was there at the start and is gone"),
        "{:?}",
        run.said
    );
}

#[test]
fn what_is_added_to_history_is_read_from_there_on() {
    for begin in [Begin::Start, Begin::End] {
        let folder = Folder::new("follow-added");
        for (number, name) in ["app.log.2", "app.log.1", "app.log"].iter().enumerate() {
            folder.write(name, &format!("h\n{number}\n"));
            folder.age(name, 1_000 - 100 * number as u64);
        }
        let mut run = Run::new(&[folder.path("app.log*")], begin);
        run.look();
        let before = run.inputs.len();
        folder.append("app.log.2", "3\n");
        folder.rename("app.log.1", "app.log.0");
        folder.append("app.log.0", "4\n");
        run.look_after(2);
        let added: Vec<(u64, &str)> = (run.inputs[before..].iter())
            .map(|input| {
                (
                    input.source.as_ref().unwrap().old_bytes(),
                    input.text.as_str(),
                )
            })
            .collect();
        assert_eq!(added, [(4, "h\n1\n4\n"), (4, "h\n0\n3\n")]);
        // What was written anew is another log.
        folder.write("app.log.2", "h\n5\n");
        run.look_after(2);
        assert_eq!(run.inputs.last().unwrap().text, "h\n5\n");
    }
}

#[test]
fn files_that_were_written_before_the_time_are_left_out() {
    let folder = Folder::new("follow-since");
    for (number, name) in ["app.log.3", "app.log.2", "app.log.1", "app.log"]
        .iter()
        .enumerate()
    {
        folder.write(name, &format!("{number}\n"));
        folder.age(name, 86_400 * (4 - number as u64));
    }
    let since = (AGED_SECONDS - 86_400) as i64 * 1_000_000;
    let mut run = Run::new(&[folder.path("app.log*")], Begin::Since(since));
    run.look();
    // A record may be written in a zone of its own: a day is no difference.
    assert_eq!(run.texts(), ["2\n", "3\n"]);
    let said = "rotated files that are older than --from and not read: 2";
    assert_eq!(run.said, [said]);
}

#[test]
fn copies_that_are_there_are_read_once() {
    let folder = Folder::new("follow-copied");
    let long = "as long as a line of a log\n".repeat(100);
    folder.write("app.log", "1\n2\n");
    folder.write("app.log.bak", "1\n");
    folder.write("web.log", &long);
    folder.write("web.log.1", &long);
    folder.write("job.log.20261130", &long);
    folder.write("job.log", &format!("{long}more\n"));
    // Short ones are alike by chance, and long ones may be alike up to their end.
    folder.write("db.log.1", "started\n");
    folder.write("db.log", "started\n");
    folder.write("api.log.1", &format!("{long}1\n"));
    folder.write("api.log", &format!("{long}2\n"));
    let mut run = Run::new(&[folder.path("*.log*")], Begin::Start);
    run.look();
    let read = |name: &str| {
        let name = folder.path(name);
        run.inputs.iter().filter(|input| input.name == name).count()
    };
    let names = [
        "app.log",
        "web.log",
        "job.log",
        "db.log",
        "db.log.1",
        "api.log",
        "api.log.1",
    ];
    assert_eq!(names.map(read), [1; 7], "{:?}", run.said);
    assert_eq!(run.inputs.len(), 7);
    let said = run
        .said
        .iter()
        .filter(|text| text.contains("is left out: it holds what"));
    assert_eq!(said.count(), 3, "{:?}", run.said);
    // What is added to a copy is no copy.
    folder.append("app.log.bak", "3\n");
    run.look_after(2);
    let added = run.inputs.last().unwrap();
    assert_eq!(
        (
            added.text.as_str(),
            added.source.as_ref().unwrap().old_bytes()
        ),
        ("1\n3\n", 2)
    );
}

#[test]
fn what_was_compressed_and_kept_is_read_once() {
    let folder = Folder::new("follow-kept");
    let long = "as long as a line of a log\n".repeat(100);
    folder.write("app.log", "1\n");
    folder.gzip_keep("app.log");
    folder.append("app.log", "2\n");
    folder.write("web.log.1", &long);
    folder.gzip_keep("web.log.1");
    folder.rename("web.log.1.gz", "web.log.2.gz");
    let mut run = Run::new(&[folder.path("*.log*")], Begin::Start);
    run.look();
    let mut texts = run.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["1\n2\n", &long]);
    let left_out = |name| {
        let said = run.said.iter().filter(|text| text.contains("is left out"));
        said.filter(|text| text.contains(name)).count()
    };
    assert_eq!(
        (left_out("app.log.gz"), left_out("web.log.2.gz")),
        (1, 1),
        "{:?}",
        run.said
    );
    // What is left out stays so under another name.
    folder.rename("app.log.gz", "app.log.3.gz");
    run.look_after(5);
    run.look_after(5);
    assert_eq!(run.inputs.len(), 2);
}

#[test]
fn what_only_begins_like_another_log_is_read() {
    let folder = Folder::new("follow-alike");
    let long = "as long as a line of a log\n".repeat(100);
    // Short logs of one service begin alike, and so do long ones.
    folder.write("app.log.1", "started\n");
    folder.gzip("app.log.1");
    folder.write("app.log", "started\nstopped\n");
    folder.write("web.log.1", &format!("{long}1\n"));
    folder.gzip("web.log.1");
    folder.write("web.log", &format!("{long}2\n"));
    // A copy of what has been written anew since.
    folder.write("job.log", "1\n2\n");
    folder.gzip_keep("job.log");
    folder.write("job.log", "1\n");
    let mut run = Run::new(&[folder.path("*.log*")], Begin::Start);
    run.look();
    assert_eq!(run.texts().len(), 6, "{:?}", run.said);
}

#[test]
fn what_only_has_the_header_of_another_is_read() {
    let folder = Folder::new("follow-headers");
    let header: String = (0..300).map(|column| format!("column_{column},")).collect();
    let rows = |day: u32| format!("{header}\n{}", format!("{day},1\n").repeat(500));
    folder.write("app-20261129.csv", &rows(29));
    let mut run = Run::new(&[folder.path("app-*.csv*")], Begin::Start);
    run.look();
    // Longer, shorter, and the header alone at first.
    folder.write("app-20261130.csv", &(rows(30) + "30,2\n"));
    folder.write("app-20261201.csv", &format!("{header}\n1,1\n"));
    folder.write("app-20261202.csv", &format!("{header}\n"));
    // A copy that is whole, and one that is being written.
    folder.write("app-20261129.csv.bak", &rows(29));
    folder.write("app-20261129.csv.1", &rows(29)[..5_000]);
    run.look_after(2);
    folder.append("app-20261202.csv", "2,1\n");
    folder.append("app-20261129.csv.1", &rows(29)[5_000..]);
    run.look_after(2);
    let mut names: Vec<&str> = run.inputs.iter().map(|input| input.name.as_str()).collect();
    names.sort_unstable();
    let days = ["20261129", "20261130", "20261201", "20261202"];
    let expected = days.map(|day| folder.path(&format!("app-{day}.csv")));
    assert_eq!(names, expected, "{:?}", run.said);
    assert_eq!(run.inputs.last().unwrap().text, format!("{header}\n2,1\n"));
}

#[test]
fn what_the_run_writes_is_not_found_by_a_pattern() {
    let folder = Folder::new("follow-own");
    folder.write("app.log", "1\n");
    folder.write("out.csv", "of the run before\n");
    let written = ["out.csv", "rejects.ndjson"].map(|name| PathBuf::from(folder.path(name)));
    let mut run = Run::that_writes(written.to_vec(), &[folder.path("*")], Begin::Start);
    run.look();
    folder.append("out.csv", "1\n");
    folder.write("rejects.ndjson", "{}\n");
    fs::hard_link(folder.path("rejects.ndjson"), folder.path("linked")).unwrap();
    run.look_after(5);
    // Somebody moves the output away.
    folder.rename("out.csv", "out.csv.1");
    folder.append("out.csv.1", "2\n");
    run.look_after(5);
    assert_eq!(run.texts(), ["1\n"]);
    let said = |name: &str| run.said.iter().filter(|text| text.contains(name)).count();
    assert_eq!(
        (said("out.csv"), said("this run writes it")),
        (1, 2),
        "{:?}",
        run.said
    );
}

#[test]
fn files_that_a_pattern_finds_later_join() {
    let folder = Folder::new("follow-join");
    let mut run = Run::new(&[folder.path("*.log*")], Begin::Start);
    run.look();
    assert!(
        run.said[0].contains("no file matches yet"),
        "{:?}",
        run.said
    );
    folder.write("app-1.log", "h\n1\n");
    run.look();
    folder.write("app-2.log", "h\n");
    run.look();
    assert_eq!(run.texts(), ["h\n1\n"], "it may become a copy of the first");
    folder.append("app-2.log", "2\n");
    run.look();
    assert_eq!(run.texts(), ["h\n1\n", "h\n2\n"]);
    folder.write("other.log.1", "h\n3\n");
    folder.gzip("other.log.1");
    run.look();
    assert_eq!(run.inputs.len(), 2, "it may be still written");
    run.look_after(3);
    assert_eq!(run.texts(), ["h\n1\n", "h\n2\n", "h\n3\n"]);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let folder = Folder::new("follow-refused");
    let refused = |path: String| {
        let follow = Follow::new(vec![path], Compression::Auto, Begin::Start, Vec::new());
        follow.err().unwrap().message().to_owned()
    };
    assert!(refused(folder.path("")).contains("cannot follow"));
    assert!(refused(String::from("/dev/null")).contains("cannot follow"));
}

/// One log as its writers know it.
struct Log {
    /// What is in the file of that name; `None` if there is none.
    content: Option<String>,
    /// What was there at the last look.
    read: String,
    /// A look has seen the file.
    is_seen: bool,
    /// What is to come out, input by input.
    expected: Vec<String>,
    /// Rotated files: name, place in `expected`, and when.
    rotated: Vec<(String, usize, Duration)>,
}

impl Log {
    /// Notes what a look makes of the content.
    fn commit(&mut self) {
        let Some(content) = &self.content else {
            return;
        };
        if !content.is_empty() {
            match self.expected.last_mut() {
                Some(last) if !self.read.is_empty() && content.starts_with(&self.read) => {
                    last.clone_from(content);
                }
                _ => self.expected.push(content.clone()),
            }
        }
        self.read.clone_from(content);
    }

    /// The file of that name is another one from now on.
    fn lose(&mut self) {
        self.commit();
        self.content = None;
        self.read.clear();
        self.is_seen = false;
    }
}

#[test]
fn a_thousand_random_operations_lose_and_double_nothing() {
    for seed in 1..=5 {
        thousand_operations(seed);
    }
}

fn thousand_operations(seed: u64) {
    let folder = Folder::new(&format!("follow-model-{seed}"));
    let mut random = Random(seed * 0x9e37_79b9);
    let mut run = Run::new(&[folder.path("app.log")], Begin::Start);
    let mut log = Log {
        content: None,
        read: String::new(),
        is_seen: false,
        expected: Vec::new(),
        rotated: Vec::new(),
    };
    let mut number = 0;
    let mut lines = |random: &mut Random| {
        let count = random.below(4) * random.below(4) + 1;
        let mut text = String::new();
        for _ in 0..count {
            number += 1;
            text.push_str(&format!(
                "{number},{}\n",
                "x".repeat(random.below(40) as usize)
            ));
        }
        text
    };
    for operation in 0..1_000 {
        let kind = random.below(100);
        let look = |run: &mut Run, log: &mut Log| {
            run.look();
            log.commit();
            log.is_seen = log.content.is_some();
            let expected: Vec<&str> = log.expected.iter().map(String::as_str).collect();
            assert_eq!(run.texts(), expected, "seed {seed}, operation {operation}");
        };
        // What nobody can see is not asked for.
        let is_unread = log
            .content
            .as_ref()
            .is_some_and(|content| *content != log.read);
        let is_truncation = (70..80).contains(&kind);
        if (is_unread && (is_truncation || !log.is_seen)) || random.below(2) == 0 {
            look(&mut run, &mut log);
        }
        run.now += Duration::from_millis(random.below(300));
        match (kind, &mut log.content) {
            (0..50, Some(content)) => {
                let text = lines(&mut random);
                folder.append("app.log", &text);
                content.push_str(&text);
            }
            (50..60, Some(content)) => {
                let text = format!("{}-", random.below(1_000_000));
                folder.append("app.log", &text);
                content.push_str(&text);
            }
            (60..70, Some(content)) => {
                let name = format!("app.log.{operation}");
                folder.rename("app.log", &name);
                let is_whole = content.ends_with('\n');
                log.lose();
                if is_whole {
                    let place = log.expected.len() - 1;
                    log.rotated.push((name, place, run.now));
                }
                if random.below(2) == 0 {
                    folder.write("app.log", "");
                    log.content = Some(String::new());
                }
            }
            (70..75, Some(content)) => {
                fs::copy(folder.path("app.log"), folder.path("app.log.copy")).unwrap();
                folder.write("app.log", "");
                content.clear();
            }
            (75..80, Some(content)) => {
                *content = lines(&mut random);
                folder.write("app.log", content);
            }
            (80..85, Some(_)) => {
                folder.remove("app.log");
                log.lose();
            }
            (85..88, Some(_)) => {
                let text = lines(&mut random);
                folder.write("app.log.new", &text);
                folder.rename("app.log.new", "app.log");
                log.lose();
                log.content = Some(text);
            }
            (88..92, _) => {
                if let Some((name, ..)) = log.rotated.pop() {
                    folder.gzip(&name);
                }
            }
            (92..96, _) => {
                let late = log.rotated.iter().rev();
                let mut late = late.filter(|(_, _, left)| run.now - *left < Duration::from_secs(4));
                if let Some((name, place, _)) = late.next() {
                    let text = lines(&mut random);
                    folder.append(name, &text);
                    log.expected[*place].push_str(&text);
                    // A reader that looks too late has left.
                    look(&mut run, &mut log);
                }
            }
            (96.., Some(_)) => run.now += Duration::from_secs(random.below(8)),
            (_, None) => {
                let text = match random.below(3) {
                    0 => String::new(),
                    _ => lines(&mut random),
                };
                folder.write("app.log", &text);
                log.content = Some(text);
            }
        }
    }
    folder.append("app.log", "end\n");
    log.content.get_or_insert_default().push_str("end\n");
    run.look();
    log.commit();
    run.look_after(10);
    run.look_after(10);
    let expected: Vec<&str> = log.expected.iter().map(String::as_str).collect();
    assert_eq!(run.texts(), expected, "seed {seed}");
    assert!(expected.len() > 100, "{} incarnations", expected.len());
    let open = run.ended().iter().filter(|ended| !**ended).count();
    assert_eq!(open, 1, "seed {seed}: only the last one is still open");
}

#[test]
fn in_a_pattern_rotations_are_not_read_twice() {
    for seed in 1..=5 {
        rotations_in_a_pattern(seed);
    }
}

fn rotations_in_a_pattern(seed: u64) {
    let folder = Folder::new(&format!("follow-rotations-{seed}"));
    let mut random = Random(seed * 0x51ed_270b);
    let mut number = 0;
    let mut all = Vec::new();
    let mut lines = |count: usize| {
        let text = (0..count).map(|_| {
            number += 1;
            let line = format!("{number},{}", "x".repeat(40));
            all.push(line.clone());
            line + "\n"
        });
        text.collect::<String>()
    };
    for name in ["app.log.3", "app.log.2", "app.log.1", "app.log"] {
        folder.write(name, &format!("id,text\n{}", lines(40)));
    }
    folder.gzip("app.log.3");
    folder.gzip("app.log.2");
    let mut run = Run::new(&[folder.path("app.log*")], Begin::Start);
    run.look();
    for _ in 0..200 {
        match random.below(10) {
            0..7 => folder.append("app.log", &lines(random.below(30) as usize)),
            kind => {
                // All of it has been seen, and it is long enough to be known again.
                folder.append("app.log", &lines(30));
                run.look();
                for (from, to) in [
                    ("app.log.3.gz", "app.log.4.gz"),
                    ("app.log.2.gz", "app.log.3.gz"),
                ] {
                    if fs::exists(folder.path(from)).unwrap() {
                        folder.rename(from, to);
                    }
                }
                if random.below(2) == 0 {
                    run.look();
                }
                folder.rename("app.log.1", "app.log.2");
                folder.gzip("app.log.2");
                if kind == 7 {
                    fs::copy(folder.path("app.log"), folder.path("app.log.1")).unwrap();
                    folder.write("app.log", "id,text\n");
                } else {
                    folder.rename("app.log", "app.log.1");
                    folder.write("app.log", "id,text\n");
                }
            }
        }
        if random.below(2) == 0 {
            run.look_after(random.below(6));
        }
    }
    folder.append("app.log", &lines(30));
    for _ in 0..20 {
        run.look_after(5);
    }
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| *line != "id,text");
        rows.map(String::from).collect::<Vec<_>>()
    };
    let read: Vec<String> = run.texts().into_iter().flat_map(rows).collect();
    assert_eq!(read, all, "seed {seed}");
    assert!(
        run.ended().iter().filter(|ended| !**ended).count() <= 3,
        "seed {seed}: those that have lost their names are closed"
    );
}
