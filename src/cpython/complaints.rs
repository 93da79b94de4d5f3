//! What a worker says on standard error about its death, and about the deaths of its copies.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What the probe writes when a copy has ended, before the number of the copy.
const ENDED: &[u8] = b"coroner probe: end of copy ";
/// How long a word on a death may be on its way.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was heard.
enum Complaint {
    /// A line that explains a death: the first of a copy.
    Line(String),
    /// The copy with this number has ended.
    Ended(u64),
}

/// Listens to a worker's standard error, so that it never fills.
#[derive(Debug)]
pub(super) struct Complaints(Receiver<Complaint>);

impl Complaints {
    /// Listens from now on.
    pub(super) fn listen(stderr: impl Read + Send + 'static) -> Complaints {
        let (send, complaints) = channel();
        std::thread::spawn(move || pass_on(stderr, &send));
        Complaints(complaints)
    }

    /// What this copy said, which has ended or whose worker has, if it said anything that explains it.
    pub(super) fn of(&self, copy: u64) -> Option<String> {
        let mut said = None;
        // The reader ends with the worker; not if a grandchild has the pipe.
        while let Ok(complaint) = self.0.recv_timeout(PATIENCE) {
            match complaint {
                Complaint::Line(line) => said = Some(line),
                Complaint::Ended(number) if number == copy => break,
                Complaint::Ended(_) => said = None,
            }
        }
        said
    }
}

/// Reads lines, and passes on of each copy the first that explains a death: an assertion that failed, or the report of a
/// sanitizer.
fn pass_on(stderr: impl Read, complain: &Sender<Complaint>) {
    const WORDS: [&str; 4] = ["runtime error: ", "Assertion ", "SUMMARY: ", "Fatal Python error: "];
    const LENGTH: usize = 240;
    let mut found = false;
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let number = line.strip_prefix(ENDED).and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
        let complaint = match number {
            Some(number) => {
                found = false;
                Complaint::Ended(number)
            }
            None => {
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if found || !WORDS.iter().any(|word| line.contains(word)) {
                    continue;
                }
                found = true;
                Complaint::Line(without_addresses(&line).chars().take(LENGTH).collect())
            }
        };
        // Nobody listens any more if the worker was dropped; what it still says is read and forgotten.
        let _ = complain.send(complaint);
    }
}

/// The last line of a process that has ended, if nothing that it left behind holds the pipe.
pub(super) fn last_line(stderr: impl Read + Send + 'static, patience: Duration) -> Option<String> {
    const LENGTH: u64 = 64 << 10;
    let (send, text) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.take(LENGTH).read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    let bytes = text.recv_timeout(patience).ok()?;
    String::from_utf8_lossy(&bytes).lines().last().map(str::to_owned)
}

/// The line with `0x` for every address, which is another one each time.
fn without_addresses(line: &str) -> String {
    let mut parts = line.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "0x" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn each_copy_is_told_what_it_said_itself() {
        let text = "nothing\nx: Assertion `a` failed at 0x7f00 \nSUMMARY: later\ncoroner probe: end of copy 1\n\
                    coroner probe: end of copy 2\nFatal Python error: b\ncoroner probe: end of copy 3\n\
                    runtime error: c\n";
        let complaints = Complaints::listen(text.as_bytes());
        assert_eq!(complaints.of(1).as_deref(), Some("x: Assertion `a` failed at 0x"));
        // The second said nothing, and nobody asked about it.
        assert_eq!(complaints.of(3).as_deref(), Some("Fatal Python error: b"));
        // The fourth went with the worker.
        assert_eq!(complaints.of(4).as_deref(), Some("runtime error: c"));
        assert_eq!(complaints.of(5), None);
    }
}
