//! Reads bytes once and says whether they are canonical JSON as this crate writes it.
//!
//! Works without building a value: every rule (no blanks, keys in strict order, the shortest escapes, plain
//! integers) can be seen on the way through.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{MAX_DEPTH, MAX_SAFE_INTEGER, first_escape, key_order, short_escape};
use crate::Error;
use crate::error::Detail;

/// Accepts exactly the bytes that [`to_canonical`](super::to_canonical) writes for some value.
pub fn check_canonical(bytes: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| fault(error.valid_up_to(), "not utf-8"))?;
    let mut cursor = Cursor { text, at: 0, depth: 0 };
    cursor.value()?;
    match cursor.peek() {
        None => Ok(()),
        Some(_) => Err(cursor.fault("something follows the value")),
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    fn value(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b' ' | b'\t' | b'\n' | b'\r') => Err(self.fault("blank outside a string")),
            Some(_) => Err(self.fault("no value begins like this")),
            None => Err(self.fault("ends too early")),
        }
    }

    fn object(&mut self) -> Result<(), Error> {
        self.enter()?;
        let mut last: Option<Cow<'a, str>> = None;
        let mut is_open = !self.take(b'}');
        while is_open {
            let key_at = self.at;
            let key = self.string()?;
            match last.map(|last| key_order(&last, &key)) {
                None | Some(Ordering::Less) => {}
                Some(Ordering::Equal) => return Err(fault(key_at, "key comes twice")),
                Some(Ordering::Greater) => return Err(fault(key_at, "key out of order")),
            }
            last = Some(key);
            self.expect(b':')?;
            self.value()?;
            is_open = self.goes_on(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), Error> {
        self.enter()?;
        let mut is_open = !self.take(b']');
        while is_open {
            self.value()?;
            is_open = self.goes_on(b']')?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Steps over an opening bracket.
    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("nested too deep"));
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a comma (the collection goes on) or over `close` (it does not).
    fn goes_on(&mut self, close: u8) -> Result<bool, Error> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(close).map(|()| false)
    }

    /// Reads a string and gives its plain text.
    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.expect(b'"')?;
        let mut plain = Cow::Borrowed("");
        loop {
            let run = self.plain_run();
            match &mut plain {
                Cow::Borrowed("") => plain = Cow::Borrowed(run),
                other => other.to_mut().push_str(run),
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => plain.to_mut().push(self.escape()?),
                Some(_) => return Err(self.fault("control character must be escaped")),
                None => return Err(self.fault("string does not end")),
            }
        }
        self.at += 1;
        Ok(plain)
    }

    /// Steps over characters that stand for themselves.
    fn plain_run(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = first_escape(rest.as_bytes()).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Reads one escape; only the shortest spelling of a character that must be escaped is canonical.
    fn escape(&mut self) -> Result<char, Error> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let (byte, len) = match rest {
            [b'u', b'0', b'0', high @ b'0'..=b'1', low, ..] => {
                let low = match low {
                    b'0'..=b'9' => low - b'0',
                    b'a'..=b'f' => low - b'a' + 10,
                    _ => return Err(self.fault("escape needs lower-case hex digits")),
                };
                (((high - b'0') << 4) | low, 6)
            }
            [b'u', ..] => return Err(self.fault("only control characters are escaped by number")),
            [letter, ..] => (escaped_by(*letter).ok_or_else(|| self.fault("no such escape"))?, 2),
            [] => return Err(self.fault("string does not end")),
        };
        if len == 6 && short_escape(byte).is_some() {
            return Err(self.fault("a shorter escape exists"));
        }
        self.at += len;
        Ok(char::from(byte))
    }

    fn integer(&mut self) -> Result<(), Error> {
        let start = self.at;
        let is_negative = self.take(b'-');
        let digits_start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(fault(start, "a float; only integers are allowed"));
        }
        let digits = self.text.get(digits_start..self.at).unwrap_or_default();
        if digits.is_empty() || (digits.starts_with('0') && (is_negative || digits.len() > 1)) {
            return Err(fault(start, "not the shortest spelling of an integer"));
        }
        match digits.parse::<u64>() {
            Ok(magnitude) if magnitude <= MAX_SAFE_INTEGER => Ok(()),
            _ => Err(fault(start, "integer beyond 2^53")),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Error> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.fault("no value begins like this"));
        }
        self.at += word.len();
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.fault(&format!("expected `{}`", char::from(byte))))
    }

    fn fault(&self, why: &str) -> Error {
        fault(self.at, why)
    }
}

/// The character that a letter after a backslash stands for: `short_escape` read backwards.
fn escaped_by(letter: u8) -> Option<u8> {
    match letter {
        b'"' | b'\\' => Some(letter),
        b'b' => Some(0x08),
        b't' => Some(0x09),
        b'n' => Some(0x0A),
        b'f' => Some(0x0C),
        b'r' => Some(0x0D),
        _ => None,
    }
}

fn fault(at: usize, why: &str) -> Error {
    Error::NotCanonical(Detail::new(format!("{why}, at byte {at}")))
}
