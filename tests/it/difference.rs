//! What is shown when two texts should be the same and are not.

use libtest_mimic::Trial;

/// `Err` with the lines that differ, marked `-` (expected) and `+` (what came), unless the texts are equal.
pub fn same_text(what: &str, expected: &[u8], actual: &[u8]) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (shown(expected), shown(actual));
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(&expected), lines(&actual));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = (old[head..].iter().rev().zip(new[head..].iter().rev()))
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("{what} differs (- expected, + actual)\n");
    let context = head.saturating_sub(3);
    mark(&mut text, "  ", &old[context..head]);
    mark(&mut text, "- ", &old[head..old.len() - tail]);
    mark(&mut text, "+ ", &new[head..new.len() - tail]);
    mark(&mut text, "  ", &old[old.len() - tail..][..tail.min(3)]);
    Err(text)
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn mark(text: &mut String, prefix: &str, lines: &[&str]) {
    for line in lines.iter().take(40) {
        text.push_str(prefix);
        if let Some((end, _)) = line.char_indices().nth(400) {
            text.push_str(&format!(
                "{}… ({} bytes)\n",
                line[..end].escape_debug(),
                line.len()
            ));
            continue;
        }
        match line.strip_suffix('\n') {
            Some(line) => text.push_str(&format!("{}\n", line.escape_debug())),
            None => text.push_str(&format!("{} (no newline)\n", line.escape_debug())),
        }
    }
    if lines.len() > 40 {
        text.push_str(&format!("{prefix}… {} more lines\n", lines.len() - 40));
    }
}

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    vec![Trial::test("harness::difference", || {
        let got = same_text("it", b"a\nb\nc\n", b"a\nB\nc").unwrap_err();
        let expected = "it differs (- expected, + actual)\n  a\n- b\n- c\n+ B\n+ c (no newline)\n";
        assert_eq!(got, expected);
        assert_eq!(same_text("it", b"a", b"a"), Ok(()));
        Ok(())
    })]
}
