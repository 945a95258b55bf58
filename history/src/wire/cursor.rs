//! A place in a line of JSON. All that is not plain gives `None`: escapes, characters beyond ASCII, numbers that are not
//! written in the shortest way.

/// A place in a line. Blanks are stepped over before anything else is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// So many digits fit an `i64` and a `u64`, whatever they are.
const SAFE_DIGITS: usize = 18;

impl<'a> Cursor<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// The next byte that is no blank.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    pub(crate) fn is_over(mut self) -> bool {
        self.peek().is_none()
    }

    pub(crate) fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }

    pub(crate) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.peek()?;
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.peek()? {
            b't' => self.word(b"true").map(|()| true),
            _ => self.word(b"false").map(|()| false),
        }
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let end = self.rest.iter().position(|&byte| !is_plain(byte))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// The digits of a whole number, with its sign.
    pub(crate) fn digits(&mut self) -> Option<&'a str> {
        self.peek()?;
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let count = self.rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_shortest = count == 1 && (sign == 0 || self.rest[sign] != b'0') || count > 1 && self.rest[sign] != b'0';
        if !is_shortest || count > SAFE_DIGITS {
            return None;
        }
        let (digits, rest) = self.rest.split_at(sign + count);
        self.rest = rest;
        std::str::from_utf8(digits).ok()
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let is_negative = self.accept(b'-');
        let mut magnitude = 0;
        let mut count = 0;
        while let Some(digit) = self.rest.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
            if count == SAFE_DIGITS {
                return None;
            }
            magnitude = 10 * magnitude + i64::from(digit);
            count += 1;
        }
        let is_shortest = count > 0 && (self.rest[0] != b'0' || count == 1 && !is_negative);
        self.rest = &self.rest[count..];
        is_shortest.then_some(if is_negative { -magnitude } else { magnitude })
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        u64::try_from(self.signed()?).ok()
    }

    /// Steps over an array, whatever is in it.
    pub(crate) fn skip_array(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        let mut bytes = self.rest.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'[' => depth += 1,
                b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.rest = bytes.as_slice();
                        return Some(());
                    }
                }
                b'"' => {
                    let end = bytes.as_slice().iter().position(|&byte| !is_plain(byte))?;
                    if bytes.nth(end) != Some(&b'"') {
                        return None;
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether the byte stands for itself inside of a text.
fn is_plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\'
}
