//! From tokens to text: a token holds bytes, and a character may be spread over several tokens.

#[cfg(test)]
mod tests;

/// The bytes that a token of a byte-level vocabulary stands for. The vocabulary writes each byte as one printable character: printable
/// Latin-1 bytes as themselves, the others in order from U+0100 on (GPT-2, `bytes_to_unicode`). A character outside that stands for itself.
pub(crate) fn token_bytes(token: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(token.len());
    for character in token.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let byte = match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

/// Bytes come in, whole characters go out. At most three bytes, the start of a character, are held back.
#[derive(Default)]
pub(crate) struct Characters {
    held: Vec<u8>,
}

impl Characters {
    /// The characters that `bytes` complete. What can never become a character is replaced by U+FFFD.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest: &[u8] = &self.held;
        let mut incomplete = Vec::new();
        for chunk in self.held.utf8_chunks() {
            rest = rest.get(chunk.valid().len() + chunk.invalid().len()..).unwrap_or_default();
            text.push_str(chunk.valid());
            if chunk.invalid().is_empty() {
                continue;
            }
            if rest.is_empty() && is_start(chunk.invalid()) {
                incomplete = chunk.invalid().to_vec();
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.held = incomplete;
        text
    }

    /// What is left when no more bytes come.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
}

/// Whether more bytes could make a character of these.
fn is_start(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.error_len().is_none())
}
