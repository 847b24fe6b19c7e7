//! HTTP/1.1 over one socket, as plainly as can be: what is sent is what the test wrote.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::DEADLINE;

/// An answer.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:.2000}", self.status, self.text())
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        let json = self.json();
        let found = json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("nothing at {pointer}: {json}")).to_owned()
    }

    /// The number at a JSON pointer.
    #[track_caller]
    pub(crate) fn number_at(&self, pointer: &str) -> u64 {
        let json = self.json();
        json.pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("nothing at {pointer}: {json}"))
    }

    /// Checks that this is an error as every error must be; gives its message.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.text_at("/error/code"), code, "{self:?}");
        assert_eq!(Some(self.text_at("/error/request_id").as_str()), self.header("x-request-id"), "{self:?}");
        assert!(self.json().pointer("/error/details").is_some_and(Value::is_array), "{self:?}");
        self.text_at("/error/message")
    }
}

/// Somebody who asks, over one connection that is kept and made anew when the server has closed it.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) key: Option<String>,
    connection: RefCell<Option<BufReader<TcpStream>>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: Option<&str>) -> Self {
        Self { address, key: key.map(str::to_owned), connection: RefCell::default() }
    }

    /// A bare connection, for what no honest client sends.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address).unwrap()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], b"")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_bytes(path, body.to_string().as_bytes())
    }

    /// A body that says it is JSON.
    #[track_caller]
    pub(crate) fn post_bytes(&self, path: &str, body: &[u8]) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body)
    }

    #[track_caller]
    pub(crate) fn decide(&self, request: &Value) -> Reply {
        self.post("/v1/decide", request)
    }

    #[track_caller]
    pub(crate) fn events(&self, lines: &str) -> Reply {
        self.send("POST", "/v1/events", &[("content-type", "application/x-ndjson")], lines.as_bytes())
    }

    #[track_caller]
    pub(crate) fn put_policies(&self, text: &str) -> Reply {
        self.send("PUT", "/v1/policies", &[("content-type", "application/yaml")], text.as_bytes())
    }

    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut slot = self.connection.borrow_mut();
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => BufReader::new(connect(self.address)?),
        };
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: ringwall\r\ncontent-length: {}\r\n", body.len());
        if let Some(key) = &self.key {
            head.push_str(&format!("authorization: Bearer {key}\r\n"));
        }
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str("\r\n");
        let stream = connection.get_mut();
        let sent = stream.write_all(&[head.as_bytes(), body].concat());
        // Who refuses a body early may close while it is still being sent; its answer counts.
        let is_sent = sent.is_ok();
        let reply = match (read_reply(&mut connection), sent) {
            (Ok(reply), _) => reply,
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(error),
        };
        if is_sent && reply.status != 413 && reply.header("connection") != Some("close") {
            *slot = Some(connection);
        }
        Ok(reply)
    }
}

/// A connection that gives up at the deadline.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

/// Reads one answer.
pub(crate) fn read_reply(reader: &mut impl BufRead) -> io::Result<Reply> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let mut line = String::new();
    let mut next = |reader: &mut dyn BufRead| -> io::Result<String> {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    };
    let status = next(reader)?.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
    let mut headers = Vec::new();
    loop {
        let line = next(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut reply = Reply { status, headers, body: Vec::new() };
    let length = reply.header("content-length").map_or(Ok(0), str::parse).map_err(|_| wrong())?;
    assert_eq!(reply.header("transfer-encoding"), None, "answers have a length");
    reply.body = vec![0; length];
    reader.read_exact(&mut reply.body)?;
    Ok(reply)
}
