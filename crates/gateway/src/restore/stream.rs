//! Restores a stream of events. An event whose text may end inside of a placeholder waits until its channel goes on or ends.
use super::channels::{self, Channel, Ends};
use super::frames::{Frame, Frames};
use super::usage::Usage;
use super::{escape_of, text_of};
use crate::dialect::{Dialect, Expected};
use crate::json::{Document, encode_inner};
use crate::thoughts::{ThoughtDigest, ThoughtStream};
use dlp::{Escape, Restorer, Vault};
use schema::RefusalCode;
use std::collections::{BTreeMap, VecDeque};

/// Most texts that a stream may have open at once.
const CHANNELS_MAX: usize = 1024;
/// Largest event, in bytes.
const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Restores an answer that comes in events. No `Debug`: it holds content.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct AnswerStream {
    expected: Expected,
    frames: Frames,
    open: BTreeMap<Channel, Open>,
    waiting: VecDeque<Vec<Part>>,
    /// The number of the first waiting event.
    first: u64,
    terminated: bool,
    failed: bool,
    usage: Usage,
    values_restored: u64,
    thoughts: ThoughtStream,
}

/// A channel that has begun.
struct Open {
    restorer: Restorer,
    /// The event that has its last piece.
    last: u64,
    /// Whether the text so far may end inside of a placeholder.
    holds: bool,
}

/// A part of an event that waits to go out.
enum Part {
    Bytes(Vec<u8>),
    /// Here the channel's text may still go on.
    Gap(Channel),
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// Whether the dialect's own end was seen, and no error.
    pub complete: bool,
    /// What it cost.
    pub usage: Usage,
    /// Placeholders that were restored.
    pub values_restored: u64,
}

impl AnswerStream {
    /// A stream at its start.
    pub fn new(expected: Expected) -> Self {
        Self {
            expected,
            frames: Frames::default(),
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            first: 0,
            terminated: false,
            failed: false,
            usage: Usage::default(),
            values_restored: 0,
            thoughts: ThoughtStream::default(),
        }
    }

    /// Takes the next bytes; appends to `out` what is certain by now.
    ///
    /// # Errors
    /// [`RefusalCode::UpstreamMalformed`] if an event is not what its dialect says; the stream is over then.
    pub fn push(&mut self, vault: &Vault, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), RefusalCode> {
        self.frames.push(chunk);
        while let Some(frame) = self.frames.next() {
            if frame.raw.len() > EVENT_BYTES_MAX || self.event(vault, frame).is_none() {
                self.failed = true;
                return Err(RefusalCode::UpstreamMalformed);
            }
        }
        self.let_go(out);
        Ok(())
    }

    /// The upstream's body has ended, or broke off.
    pub fn finish(&mut self, vault: &Vault, out: &mut Vec<u8>) -> StreamEnd {
        let rest = self.frames.rest();
        if !self.failed && !rest.is_empty() {
            // Some servers leave out the last empty line.
            self.failed |= self.event(vault, Frame { raw: [&rest, &b"\n\n"[..]].concat() }).is_none();
        }
        self.end(Ends::All);
        self.let_go(out);
        let complete = self.terminated && !self.failed;
        StreamEnd { complete, usage: self.usage, values_restored: self.values_restored }
    }

    /// Whether the dialect's own end was seen.
    pub fn terminated(&self) -> bool {
        self.terminated
    }

    /// The signed thoughts that came whole since the last time.
    pub(crate) fn thoughts(&mut self) -> Vec<ThoughtDigest> {
        self.thoughts.drain()
    }

    /// `None` if the event cannot be understood.
    fn event(&mut self, vault: &Vault, frame: Frame) -> Option<()> {
        let Some(data) = frame.data().ok()? else {
            self.waiting.push_back(vec![Part::Bytes(frame.raw)]);
            return Some(());
        };
        // It goes out as one line; between the tokens of JSON a space is as good as a line feed.
        let data = data.replace('\n', " ");
        let dialect = self.expected.endpoint.dialect();
        if dialect == Dialect::OpenAi && data.trim() == "[DONE]" {
            self.end(Ends::All);
            self.terminated = true;
            self.waiting.push_back(vec![Part::Bytes(frame.raw)]);
            return Some(());
        }
        let document = Document::parse_text(&data).ok()?;
        let root = document.root();
        self.usage.read(self.expected.endpoint, root);
        self.failed |= match dialect {
            Dialect::OpenAi => root.get("error").is_some_and(|error| !error.is_null()),
            Dialect::Anthropic => root.get("type").is_some_and(|kind| kind.is("error")),
        };
        let is_thought = dialect == Dialect::Anthropic && self.thoughts.take(root);
        let number = self.first + self.waiting.len() as u64;
        let parts = if is_thought { None } else { self.rewrite(vault, &data, &document, number).ok()? };
        self.waiting.push_back(parts.map_or_else(|| vec![Part::Bytes(frame.raw.clone())], |parts| framed(&frame, parts)));
        for ends in channels::ends(dialect, root) {
            self.end(ends);
        }
        self.terminated |= dialect == Dialect::Anthropic && text_of(root, "type").as_deref() == Some("message_stop");
        Some(())
    }

    /// The data with its strings restored, or `None` if it stays as it is.
    fn rewrite(&mut self, vault: &Vault, data: &str, document: &Document<'_>, number: u64) -> Result<Option<Vec<Part>>, RefusalCode> {
        let (mut parts, mut text, mut copied, mut changed) = (Vec::new(), String::new(), 0, false);
        for place in channels::places(self.expected.endpoint.dialect(), document.root()) {
            let content = place.node.text().unwrap_or_default();
            let escape = escape_of(self.expected, place.node.key().as_deref());
            let (restored, gap) = match place.channel {
                None => {
                    let (restored, count) = vault.restore_with(&content, escape);
                    self.values_restored += count;
                    (restored.into_owned(), None)
                }
                Some(channel) => {
                    self.begin(vault, &channel, escape)?;
                    let (restored, holds) = self.piece(&channel, &content, number);
                    (restored, holds.then_some(channel))
                }
            };
            if gap.is_none() && restored == content {
                continue;
            }
            changed = true;
            let span = place.node.span();
            text.push_str(data.get(copied..span.start).unwrap_or_default());
            text.push('"');
            encode_inner(&restored, &mut text);
            if let Some(channel) = gap {
                parts.push(Part::Bytes(std::mem::take(&mut text).into_bytes()));
                parts.push(Part::Gap(channel));
            }
            text.push('"');
            copied = span.end;
        }
        text.push_str(data.get(copied..).unwrap_or_default());
        parts.push(Part::Bytes(text.into_bytes()));
        Ok(changed.then_some(parts))
    }

    /// Opens a channel if it is new.
    fn begin(&mut self, vault: &Vault, channel: &Channel, escape: Escape) -> Result<(), RefusalCode> {
        if !self.open.contains_key(channel) {
            if self.open.len() >= CHANNELS_MAX {
                return Err(RefusalCode::UpstreamMalformed);
            }
            let last = self.first + self.waiting.len() as u64;
            self.open.insert(channel.clone(), Open { restorer: vault.stream(escape), last, holds: false });
        }
        Ok(())
    }

    /// The next piece of an open channel: what is certain of it, and whether something may be held back.
    fn piece(&mut self, channel: &Channel, piece: &str, number: u64) -> (String, bool) {
        let Some(open) = self.open.get_mut(channel) else { return (piece.to_owned(), false) };
        let before = open.restorer.restored();
        let certain = open.restorer.push(piece);
        self.values_restored += open.restorer.restored() - before;
        open.holds = may_hold(open.holds, piece);
        let (last, holds) = (std::mem::replace(&mut open.last, number), open.holds);
        if last != number {
            // What the earlier event held back has moved on into this one.
            self.fill(last, channel, "");
        }
        (certain, holds)
    }

    /// Channels end: what they held back was no placeholder and goes where it came from.
    fn end(&mut self, ends: Ends) {
        let over = |channel: &Channel| match ends {
            Ends::All => true,
            Ends::Group(group) => channel.group == group,
        };
        let channels: Vec<Channel> = self.open.keys().filter(|channel| over(channel)).cloned().collect();
        for channel in channels {
            if let Some(mut open) = self.open.remove(&channel) {
                let held = open.restorer.finish();
                self.fill(open.last, &channel, &held);
            }
        }
    }

    /// Closes the gap that an event has for a channel.
    fn fill(&mut self, number: u64, channel: &Channel, text: &str) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(parts) = index.and_then(|index| self.waiting.get_mut(index)) else { return };
        for part in parts {
            if matches!(part, Part::Gap(gap) if gap == channel) {
                let mut inner = String::new();
                encode_inner(text, &mut inner);
                *part = Part::Bytes(inner.into_bytes());
            }
        }
    }

    /// Lets go what waits no longer, in order.
    fn let_go(&mut self, out: &mut Vec<u8>) {
        while self.waiting.front().is_some_and(|parts| parts.iter().all(|part| matches!(part, Part::Bytes(_)))) {
            for part in self.waiting.pop_front().into_iter().flatten() {
                if let Part::Bytes(bytes) = part {
                    out.extend_from_slice(&bytes);
                }
            }
            self.first += 1;
        }
    }
}

/// Whether a text that goes on with `piece` may now end inside of a placeholder: it ends in a word of capitals, digits and underscores
/// that has a `B`.
fn may_hold(before: bool, piece: &str) -> bool {
    let word = piece.bytes().rev().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    let (length, has_start) = word.fold((0, false), |(length, has_start), byte| (length + 1, has_start || byte == b'B'));
    has_start || (before && length == piece.len())
}

/// An event with new data: its other lines, then the data in one line.
fn framed(frame: &Frame, parts: Vec<Part>) -> Vec<Part> {
    let mut head = frame.other_lines();
    head.extend_from_slice(b"data: ");
    let mut framed = vec![Part::Bytes(head)];
    framed.extend(parts);
    framed.push(Part::Bytes(b"\n\n".to_vec()));
    framed
}
