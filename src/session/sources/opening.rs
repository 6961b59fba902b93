//! The inputs of a table are opened: for its guess, which waits for the first bytes, and for its run.
//!
//! ```text
//!   places ─► first one opened ─► sample ─► guess          what was read waits for the run
//!                                      └──► run: the first with what was read of it, then the others
//! ```
//!
//! Invariants: standard input is read by one statement; what was read for a guess is not lost.

use sqlparser::ast;

use super::columnar::{columnar_kind, columns_sample_bytes, look_at_sample};
use super::definition::{Access, Definition, Place};
use super::{Sources, access, paths_of};
use crate::catalog::{Catalog, Hints, SAMPLE_BYTES, file_sample_bytes, guess, live_sample_bytes};
use crate::connect::{
    Address, ByteSource, Compression, Follow, cannot_read, decompressed, open_file,
};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{ColumnarKind, Encoding, Format, Layout};
use crate::runtime::interrupt::Signal;
use crate::runtime::{Idle, InputFile, Inputs, Live, Opened, Sample, Waiter, Woken};
use crate::session::host::Note;
use crate::session::{Host, Options};

/// An input that was opened for a guess, with what was read of it.
pub(super) enum FirstOpened {
    Input(Opened),
    Live(Live),
}

/// The first input of a table, and its sample.
pub(super) struct First {
    pub opened: FirstOpened,
    pub sample: Sample,
}

impl First {
    pub(super) fn is_piped(&self) -> bool {
        self.opened.is_piped()
    }
}

impl FirstOpened {
    /// True unless it is a file that lies there whole.
    pub(super) fn is_piped(&self) -> bool {
        !matches!(self, FirstOpened::Input(opened) if opened.source.is_file())
    }
}

impl Sources {
    /// Opens the first of the places and reads its sample.
    pub(super) fn open_first(
        &mut self,
        places: &[Place],
        access: &Access,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<First> {
        let first = self.open_any(places, access, hints, host)?;
        refuse_wide(&first.sample)?;
        Ok(first)
    }

    fn open_any(
        &mut self,
        places: &[Place],
        access: &Access,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<First> {
        if let Some(mut live) = self.open_followed(access)? {
            let sample = self.live_sample(&mut live, true, &|_| None, hints, host)?;
            if let Some(kind) = columnar_kind(&sample.bytes, hints) {
                return Err(not_followed(kind, &sample.source));
            }
            let opened = FirstOpened::Live(live);
            return Ok(First { opened, sample });
        }
        let first = places
            .first()
            .ok_or_else(|| Error::internal("a table without files"))?;
        if let Place::Socket(address) = first {
            let mut live = self.open_socket(address, access)?;
            // What anybody may send is not what the table is because it came first.
            let is_open = address.takes_connections() || address.gives_messages();
            let refusal = |sample: &Sample| match is_open {
                true => refusal_of(sample, hints),
                false => None,
            };
            let has_no_end = address.gives_messages();
            let sample = self.live_sample(&mut live, has_no_end, &refusal, hints, host)?;
            let opened = FirstOpened::Live(live);
            return Ok(First { opened, sample });
        }
        let mut opened = self.open_place(first, access, host)?;
        let bytes = self.sample(&mut opened, hints, host)?;
        let sample = Sample {
            at_end: opened.at_end && bytes.len() == opened.bytes.len(),
            bytes,
            source: opened.source.name().to_owned(),
        };
        let opened = FirstOpened::Input(opened);
        Ok(First { opened, sample })
    }

    /// Opens the sockets among the tables that a query names, so that nobody is refused at one of them while the
    /// first record of another is waited for.
    ///
    /// # Errors
    /// One cannot be opened.
    pub(in crate::session) fn open_sockets(
        &mut self,
        names: &[ast::Ident],
        catalog: &Catalog,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<()> {
        if names.len() < 2 {
            return Ok(());
        }
        for name in names {
            let (place, access) = match catalog.table_of(name) {
                Some(table) => match self.definitions.get(&table.name) {
                    Some(known) if !self.opened.contains_key(&table.name) => {
                        (known.places.first().cloned(), known.access.clone())
                    }
                    _ => continue,
                },
                None => {
                    let paths = paths_of(name, options).unwrap_or_default();
                    // What is wrong with an address is said when its turn comes.
                    let address = paths.first().map(|path| Address::parse(path));
                    let address = address.and_then(|address| address.ok().flatten());
                    (address.map(Place::Socket), access(options))
                }
            };
            if let Some(Place::Socket(address)) = &place
                && !self.ahead.contains_key(&address.to_string())
            {
                let mut live = open_socket(address, &access)?;
                live.tell(&mut |idle| while_waiting(idle, false, host))?;
                self.ahead.insert(address.to_string(), live);
            }
        }
        Ok(())
    }

    /// A socket, which may have been opened before its turn.
    fn open_socket(&mut self, address: &Address, access: &Access) -> Result<Live> {
        match self.ahead.remove(&address.to_string()) {
            Some(live) => Ok(live),
            None => open_socket(address, access),
        }
    }

    /// The first input of a declared table whose format needs no look at its records.
    pub(super) fn open_unseen(
        &mut self,
        places: &[Place],
        access: &Access,
        hints: &Hints,
    ) -> Result<Option<First>> {
        let [Place::Socket(address)] = places else {
            return Ok(None);
        };
        if hints.format.as_deref() != Some("ndjson") {
            return Ok(None);
        }
        let opened = FirstOpened::Live(self.open_socket(address, access)?);
        let sample = Sample {
            bytes: Vec::new(),
            at_end: false,
            source: address.to_string(),
        };
        Ok(Some(First { opened, sample }))
    }

    /// Waits for the first record of inputs that come and go.
    fn live_sample(
        &self,
        live: &mut Live,
        has_no_end: bool,
        refusal: &dyn Fn(&Sample) -> Option<String>,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<Sample> {
        let mut waiter = Waiter::new(self.interrupts.as_deref());
        let most = longest_sample_bytes(hints);
        live.expect_records(most);
        let length_of = |bytes: &[u8], at_end| {
            if columnar_kind(bytes, hints).is_some() {
                // What is followed and datagrams have no end to wait for, and are refused.
                let is_refused = has_no_end && !bytes.is_empty();
                let sample = columns_sample_bytes(bytes, at_end, most);
                return sample.or(is_refused.then_some(bytes.len()));
            }
            let whole = live_sample_bytes(bytes, at_end, hints);
            whole.or((bytes.len() >= most).then_some(bytes.len()))
        };
        let sample = live.sample(
            &mut waiter,
            &mut |idle| while_waiting(idle, false, host),
            &length_of,
            refusal,
        )?;
        match waiter.stopped() {
            Some(signal) => Err(stopped(signal)),
            None => Ok(sample),
        }
    }

    /// Reads the sample of an input: of a file its first 64 KiB, of a pipe its first record, of columns the mark.
    fn sample(&self, opened: &mut Opened, hints: &Hints, host: &mut dyn Host) -> Result<Vec<u8>> {
        let is_file = opened.source.is_file();
        let most = longest_sample_bytes(hints);
        let mut waiter = Waiter::new(self.interrupts.as_deref());
        loop {
            let bytes = &opened.bytes;
            let wanted = if columnar_kind(bytes, hints).is_some() {
                let enough = bytes.len() >= ColumnarKind::MAGIC_BYTES || opened.at_end;
                enough.then_some(bytes.len())
            } else if is_file {
                file_sample_bytes(bytes, opened.at_end, hints)
            } else {
                live_sample_bytes(bytes, opened.at_end, hints)
            };
            if let Some(length) = wanted {
                return Ok(bytes[..length.min(bytes.len())].to_vec());
            }
            if bytes.len() >= most {
                return Ok(bytes.clone());
            }
            match self.read_more(opened, &mut waiter, host) {
                // Whoever reads on gets the error behind the whole records.
                Err(error) if error.kind() == ErrorKind::Outside && !opened.bytes.is_empty() => {
                    return Ok(opened.bytes[..opened.bytes.len().min(SAMPLE_BYTES)].to_vec());
                }
                read => read?,
            }
        }
    }

    /// Reads what is there behind what was read, or waits for it.
    pub(super) fn read_more(
        &self,
        opened: &mut Opened,
        waiter: &mut Waiter<'_>,
        host: &mut dyn Host,
    ) -> Result<()> {
        let has_begun = !opened.bytes.is_empty();
        let mut idle = |idle| while_waiting(idle, has_begun, host);
        if let Woken::Stop(signal) = waiter.wait(opened.source.as_ref(), &mut idle)? {
            // Whatever a part of a sample looks like, nobody waits for the answer any more.
            return Err(stopped(signal));
        }
        match opened.read_some(SAMPLE_BYTES) {
            Ok(_) => Ok(()),
            Err(error) => Err(cannot_read(opened.source.name(), &error)),
        }
    }

    /// Opens a place that is no socket.
    fn open_place(
        &mut self,
        place: &Place,
        access: &Access,
        host: &mut dyn Host,
    ) -> Result<Opened> {
        let source = match place {
            Place::Path(path) => open_file(path, access.compression)?,
            Place::Stdin => decompressed(self.take_stdin(host)?, access.compression),
            Place::Socket(address) => {
                return Err(Error::internal(format!("`{address}` is no file")));
            }
        };
        Ok(Opened::new(source))
    }

    fn take_stdin(&mut self, host: &mut dyn Host) -> Result<Box<dyn ByteSource>> {
        if self.stdin_taken {
            return Err(Error::plan(
                "standard input has been read by an earlier table or statement",
            )
            .help("name it once, and use UNION ALL or WITH to read its rows twice"));
        }
        let stdin = host.stdin().ok_or_else(|| host.no_stdin())?;
        self.stdin_taken = true;
        Ok(stdin)
    }

    /// The inputs of a table: the one that was opened for its guess, and the others.
    pub(super) fn open_all(
        &mut self,
        name: &str,
        definition: &Definition,
        host: &mut dyn Host,
    ) -> Result<Inputs> {
        let access = &definition.access;
        if !self.opened.contains_key(name)
            && let Some(live) = self.open_followed(access)?
        {
            return Ok(Inputs::Live(live));
        }
        let mut files = Vec::with_capacity(definition.places.len());
        let mut first = match self.opened.remove(name) {
            Some(FirstOpened::Live(live)) => return Ok(Inputs::Live(live)),
            Some(FirstOpened::Input(opened)) => Some(opened),
            None => None,
        };
        for place in &definition.places {
            files.push(match (first.take(), place) {
                (Some(opened), _) => InputFile::Opened(opened),
                (None, Place::Path(path)) => InputFile::Path(path.clone()),
                (None, Place::Socket(address)) => {
                    return Ok(Inputs::Live(self.open_socket(address, access)?));
                }
                (None, Place::Stdin) => InputFile::Opened(self.open_place(place, access, host)?),
            });
        }
        Ok(Inputs::Files(files))
    }

    /// Follows files, if they are followed.
    fn open_followed(&self, access: &Access) -> Result<Option<Live>> {
        let Some(followed) = &access.follow else {
            return Ok(None);
        };
        let written = followed.written.iter().chain(&self.inserted);
        let follow = Follow::new(
            followed.names.clone(),
            access.compression,
            followed.begin,
            written.cloned().collect(),
        )?;
        Ok(Some(Live::new(Box::new(follow), access.compression)))
    }
}

/// Why a connection or datagram among others does not show what the table is; `None` if it does. Where the format is
/// said, what it does not fit is no sample anyhow.
fn refusal_of(sample: &Sample, hints: &Hints) -> Option<String> {
    if hints.format.as_deref().is_some_and(|name| name != "auto") || hints.regex.is_some() {
        return None;
    }
    let refused = |error: Error| error.message().to_owned();
    match columnar_kind(&sample.bytes, hints) {
        Some(ColumnarKind::Parquet) => {
            return Some(String::from("Parquet is not read from a socket"));
        }
        Some(ColumnarKind::Arrow) => {
            return look_at_sample(&sample.bytes, hints).err().map(refused);
        }
        None => {}
    }
    let hints = Hints {
        from_pipe: true,
        ..hints.clone()
    };
    let guess = match guess(&sample.bytes, sample.at_end, &hints) {
        Ok(guess) => guess,
        Err(error) if error.kind() == ErrorKind::Data => return Some(refused(error)),
        // What is wrong with flags or options is so for every connection.
        Err(_) => return None,
    };
    let is_lines = matches!(&guess.format, Format::Lines(lines) if lines.layout == Layout::Lines);
    if !is_lines || hints.only_line {
        return None;
    }
    // Names that the query itself makes say nothing of records, and what is known of every record is of lines, too.
    let mut names = hints
        .names
        .iter()
        .filter(|name| !name.starts_with("window_"));
    let is_of_lines = |name: &String| name.eq_ignore_ascii_case("line") || name.starts_with('_');
    let is_timed = hints.ts.as_ref().is_some_and(is_of_lines);
    let first = names.clone().next().filter(|_| !is_timed);
    if let (Some(first), false) = (first, names.any(is_of_lines)) {
        return Some(format!("lines of text, which have no column `{first}`"));
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t'..=b'\r' | 0x1b);
    let begins_badly = sample
        .bytes
        .utf8_chunks()
        .next()
        .is_some_and(|chunk| chunk.valid().is_empty());
    let is_binary =
        sample.bytes.iter().any(is_control) || begins_badly && hints.encoding != Encoding::Latin1;
    is_binary.then(|| String::from("what it sends is no text"))
}

/// After how many bytes of one record a guess is made of what is there.
fn longest_sample_bytes(hints: &Hints) -> usize {
    SAMPLE_BYTES.max(hints.max_record_bytes)
}

fn not_followed(kind: ColumnarKind, source: &str) -> Error {
    Error::unsupported(format!(
        "`{source}` is {}, and files of columns are not followed",
        kind.name()
    ))
    .help("leave out --follow: such a file is read when it has been written")
}

fn open_socket(address: &Address, access: &Access) -> Result<Live> {
    if address.gives_messages()
        && !matches!(access.compression, Compression::Auto | Compression::None)
    {
        return Err(Error::usage(format!(
            "`{address}`: datagrams are read as they are, not decompressed"
        ))
        .help("leave compression out, and send text; tcp-listen:// takes compressed bytes"));
    }
    let arrivals = address.open(&access.socket)?;
    Ok(Live::new(arrivals, access.compression))
}

/// What to do while a sample has not come; `has_begun`: something has, and it shows no format yet.
fn while_waiting(idle: Idle, has_begun: bool, host: &mut dyn Host) -> Result<()> {
    let text = match has_begun {
        true => {
            "waiting for a record that shows the format: what came so far is text; \
             --input-format lines reads it as it is, line by line"
        }
        false => "waiting for input: nothing has come yet",
    };
    match idle {
        Idle::Flush => return host.flush(),
        Idle::Asked => host.note(Note::Status(String::from(text))),
        Idle::Said(notice) => host.note(Note::Said(notice)),
        Idle::Waiting => host.note(Note::Waiting(String::from(text))),
    }
    Ok(())
}

/// Refuses text in units of two or four bytes, of which nothing would be read rightly.
fn refuse_wide(sample: &Sample) -> Result<()> {
    let name = match sample.bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "UTF-32",
        // In another encoding two such bytes may be letters; then there are no zeros behind them.
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..]
            if rest.iter().take(64).any(|b| *b == 0) =>
        {
            "UTF-16"
        }
        _ => return Ok(()),
    };
    let source = &sample.source;
    let error = Error::data(format!("`{source}` is {name}, and text is read as UTF-8"));
    let source = match source.as_str() {
        "stdin" => String::new(),
        path => format!("{path} "),
    };
    Err(error.help(format!(
        "convert it: iconv -f {name} -t UTF-8 {source}| tumble …"
    )))
}

fn stopped(signal: Signal) -> Error {
    Error::new(ErrorKind::Stopped, format!("stopped by {signal}"))
}
