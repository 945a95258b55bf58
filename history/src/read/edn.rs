//! EDN, as far as Jepsen writes it: <https://github.com/edn-format/edn>.

use std::borrow::Cow;

use crate::read::form::Form;

/// Deeper data is refused: nobody writes it, and the stack is not endless.
const MOST_DEPTH: usize = 64;

/// Why there is no form.
#[derive(Debug, PartialEq)]
pub(crate) enum Trouble {
    /// The bytes end inside of it.
    Torn,
    /// It is none; where and why.
    Wrong { at: usize, reason: String },
}

type Result<T> = std::result::Result<T, Trouble>;

/// Reads one form after the other.
pub(crate) struct Edn<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// Whether no bytes can follow: then the last word is whole.
    is_all: bool,
}

impl<'a> Edn<'a> {
    pub(crate) fn new(bytes: &'a [u8], is_all: bool) -> Self {
        Self { bytes, at: 0, depth: 0, is_all }
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes on to the next byte that means something; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.bytes.get(self.at) {
                None => return Ok(None),
                Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | 0x0b | 0x0c) => self.at += 1,
                Some(b';') => match memchr::memchr(b'\n', &self.bytes[self.at..]) {
                    Some(length) => self.at += length + 1,
                    None if self.is_all => self.at = self.bytes.len(),
                    None => return Err(Trouble::Torn),
                },
                Some(b'#') if self.bytes.get(self.at + 1) == Some(&b'_') => {
                    self.at += 2;
                    self.deeper(Self::form)?;
                }
                Some(&byte) => return Ok(Some(byte)),
            }
        }
    }

    /// Steps over bytes that another reader has read.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Steps over tags up to the map that they belong to.
    pub(crate) fn tags(&mut self) -> Result<()> {
        loop {
            match self.inside()? {
                b'{' => return Ok(()),
                b'#' => {
                    self.at += 1;
                    self.word()?;
                }
                _ => return self.wrong("no event: an event is a map such as {:process 0, :type :invoke, :f :read}"),
            }
        }
    }

    /// Goes on to the next byte inside of something.
    fn inside(&mut self) -> Result<u8> {
        self.peek()?.ok_or(Trouble::Torn)
    }

    pub(crate) fn wrong<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Trouble::Wrong { at: self.at, reason: reason.into() })
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return self.wrong(format!("more than {MOST_DEPTH} levels of brackets: is this a history?"));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads one form.
    pub(crate) fn form(&mut self) -> Result<Form<'a>> {
        match self.inside()? {
            b'{' => {
                let mut entries = Vec::new();
                self.entries(|edn, name| {
                    entries.push((name, edn.form()?));
                    Ok(())
                })?;
                Ok(Form::Map(entries))
            }
            b'[' => Ok(Form::List(self.until(b']')?)),
            b'(' => Ok(Form::List(self.until(b')')?)),
            b'"' => self.text(),
            b':' => {
                self.at += 1;
                Ok(Form::Word(self.word()?))
            }
            b'\\' => self.character(),
            b'#' => self.dispatch(),
            b'^' => {
                self.at += 1;
                self.deeper(Self::form)?;
                self.deeper(Self::form)
            }
            byte @ (b')' | b']' | b'}') => self.wrong(format!("a {:?} that closes nothing", char::from(byte))),
            b'0'..=b'9' | b'+' | b'-' => self.number(),
            _ => Ok(match self.word()? {
                "nil" => Form::Nil,
                "true" => Form::Bool(true),
                "false" => Form::Bool(false),
                word => Form::Word(word),
            }),
        }
    }

    /// Reads the entries of a map, from its bracket to its bracket; `entry` gets each key and reads what follows it.
    pub(crate) fn entries(&mut self, mut entry: impl FnMut(&mut Self, Form<'a>) -> Result<()>) -> Result<()> {
        self.at += 1;
        self.deeper(|edn| {
            while edn.inside()? != b'}' {
                let name = edn.form()?;
                if edn.inside()? == b'}' {
                    return edn.wrong("a map whose last key has no value");
                }
                entry(edn, name)?;
            }
            edn.at += 1;
            Ok(())
        })
    }

    fn until(&mut self, bracket: u8) -> Result<Vec<Form<'a>>> {
        self.at += 1;
        self.deeper(|edn| {
            let mut forms = Vec::new();
            while edn.inside()? != bracket {
                forms.push(edn.form()?);
            }
            edn.at += 1;
            Ok(forms)
        })
    }

    /// The bytes up to the next that can't belong to a word.
    fn word(&mut self) -> Result<&'a str> {
        let from = self.at;
        let length = self.bytes[from..].iter().position(|&byte| ends_word(byte));
        self.at = match length {
            Some(length) => from + length,
            None if self.is_all => self.bytes.len(),
            None => return Err(Trouble::Torn),
        };
        if self.at == self.bytes.len() && self.at == from {
            return Err(Trouble::Torn);
        }
        if self.at == from {
            return self.wrong("a name without letters");
        }
        self.utf8(from, self.at)
    }

    fn utf8(&self, from: usize, to: usize) -> Result<&'a str> {
        std::str::from_utf8(&self.bytes[from..to])
            .map_err(|error| Trouble::Wrong { at: from, reason: format!("not UTF-8 ({error}): is this a history?") })
    }

    fn number(&mut self) -> Result<Form<'a>> {
        let word = self.word()?;
        let digits = word.strip_suffix('N').unwrap_or(word);
        if let Ok(number) = digits.parse() {
            return Ok(Form::Int(number));
        }
        // Symbols may begin with a sign.
        let is_number = word.trim_start_matches(['+', '-']).starts_with(|letter: char| letter.is_ascii_digit());
        Ok(if is_number { Form::Number(Cow::Borrowed(word)) } else { Form::Word(word) })
    }

    fn text(&mut self) -> Result<Form<'a>> {
        let from = self.at + 1;
        let mut to = from;
        let mut is_escaped = false;
        loop {
            let Some(length) = memchr::memchr2(b'"', b'\\', &self.bytes[to..]) else { return Err(Trouble::Torn) };
            to += length;
            if self.bytes[to] == b'"' {
                break;
            }
            is_escaped = true;
            to += 2;
            if to > self.bytes.len() {
                return Err(Trouble::Torn);
            }
        }
        let text = self.utf8(from, to)?;
        let text = if is_escaped { self.unescape(text)?.into() } else { text.into() };
        self.at = to + 1;
        Ok(Form::Text(text))
    }

    fn unescape(&self, text: &str) -> Result<String> {
        let mut plain = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '\\' {
                plain.push(letter);
                continue;
            }
            match letters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('b') => plain.push('\u{8}'),
                Some('f') => plain.push('\u{c}'),
                Some(same @ ('"' | '\\')) => plain.push(same),
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                    let Some(code) = code else { return self.wrong(format!("\"\\u{digits}\" is no character")) };
                    // Half of a pair that stands for one character beyond 16 bits.
                    plain.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                other => return self.wrong(format!("{:?} can't follow a backslash", other.unwrap_or(' '))),
            }
        }
        Ok(plain)
    }

    /// `\a`, `\newline`: a text of its name.
    fn character(&mut self) -> Result<Form<'a>> {
        let from = self.at + 1;
        self.at = from;
        match self.bytes.get(from) {
            None => return Err(Trouble::Torn),
            Some(&byte) if ends_word(byte) => self.at += 1,
            Some(_) => {
                self.word()?;
            }
        }
        Ok(Form::Text(self.utf8(from, self.at)?.into()))
    }

    /// What follows a `#`: a set, `##Inf`, or a tag and its form.
    fn dispatch(&mut self) -> Result<Form<'a>> {
        self.at += 1;
        match self.bytes.get(self.at) {
            None => Err(Trouble::Torn),
            Some(b'{') => Ok(Form::Set(self.until(b'}')?)),
            Some(b'#') => {
                self.at += 1;
                Ok(Form::Number(Cow::Borrowed(self.word()?)))
            }
            Some(b'"') => self.text(),
            Some(_) => {
                let tag = self.word()?;
                Ok(Form::Tagged(tag, Box::new(self.deeper(Self::form)?)))
            }
        }
    }
}

fn ends_word(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b',' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'"' | b';'
    )
}
