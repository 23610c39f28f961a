//! Cuts a stream into events (WHATWG HTML §9.2, server-sent events).

/// Collects bytes until an event is whole.
#[derive(Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// Where the next event begins.
    start: usize,
    /// Up to here no further event ends.
    searched: usize,
}

/// One event.
pub(super) struct Frame {
    /// As it came, with the empty line that ends it.
    pub(super) raw: Vec<u8>,
}

impl Frames {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(chunk);
    }

    /// The next whole event.
    pub(super) fn next(&mut self) -> Option<Frame> {
        while let Some(feed) = memchr::memchr(b'\n', self.bytes.get(self.searched..)?) {
            let end = self.searched + feed + 1;
            self.searched = end;
            let line = self.bytes.get(self.start..end - 1)?;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.ends_with(b"\n") {
                let raw = self.bytes.get(self.start..end)?.to_vec();
                self.start = end;
                return Some(Frame { raw });
            }
        }
        self.searched = self.bytes.len();
        None
    }

    /// What came after the last whole event.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.start);
        *self = Self::default();
        rest
    }
}

impl Frame {
    /// The event's data: its `data` lines, joined. `None` if it has none.
    pub(super) fn data(&self) -> Result<Option<String>, std::str::Utf8Error> {
        let mut data: Option<String> = None;
        for line in std::str::from_utf8(&self.raw)?.lines() {
            if let Some(value) = line.strip_prefix("data:") {
                let value = value.strip_prefix(' ').unwrap_or(value);
                match &mut data {
                    None => data = Some(value.to_owned()),
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                }
            }
        }
        Ok(data)
    }

    /// Everything but the data: the other lines, each with its end.
    pub(super) fn other_lines(&self) -> Vec<u8> {
        let lines = self.raw.split_inclusive(|byte| *byte == b'\n');
        let others = lines.filter(|line| !line.starts_with(b"data:") && !matches!(**line, [b'\n'] | [b'\r', b'\n']));
        others.flatten().copied().collect()
    }
}
