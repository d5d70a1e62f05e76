//! A WebDriver BiDi client (W3C WebDriver BiDi): one WebSocket, commands with ids, events kept in a queue.
//! It knows no browser and starts no process; [`crate::browser`] does. It refuses to wait for ever: every
//! command has a deadline, and a closed socket is an error, not a hang.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// What went wrong while driving a browser: a sentence for the person who reads the test's output.
#[derive(Debug, Clone)]
pub struct DriveError(pub String);

impl std::fmt::Display for DriveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DriveError {}

impl From<std::io::Error> for DriveError {
    fn from(error: std::io::Error) -> Self {
        Self(format!("input or output failed: {error}"))
    }
}

impl From<tungstenite::Error> for DriveError {
    fn from(error: tungstenite::Error) -> Self {
        Self(format!("the browser's WebSocket failed: {error}"))
    }
}

/// The result of a step that drives the browser.
pub type Driven<T> = Result<T, DriveError>;

/// Makes a [`DriveError`] out of a sentence.
pub fn failed<T>(sentence: impl Into<String>) -> Driven<T> {
    Err(DriveError(sentence.into()))
}

/// One BiDi connection.
pub struct Bidi {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next: u64,
    events: VecDeque<Value>,
    /// How long one command may take.
    pub deadline: Duration,
}

impl std::fmt::Debug for Bidi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bidi").field("next", &self.next).field("events", &self.events.len()).finish_non_exhaustive()
    }
}

impl Bidi {
    /// Connects to `url`, trying again until `patience` is over (the browser may still be starting).
    pub fn connect(url: &str, patience: Duration) -> Driven<Self> {
        let until = Instant::now() + patience;
        loop {
            match tungstenite::connect(url) {
                Ok((socket, _)) => {
                    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
                        // Short reads let `command` look at its own deadline.
                        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
                    }
                    return Ok(Self { socket, next: 0, events: VecDeque::new(), deadline: Duration::from_secs(30) });
                }
                Err(error) if Instant::now() >= until => return failed(format!("no BiDi at {url}: {error}")),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Sends `method` with `params` and returns the `result` object.
    pub fn command(&mut self, method: &str, params: Value) -> Driven<Value> {
        self.next += 1;
        let id = self.next;
        self.socket.send(Message::text(json!({"id": id, "method": method, "params": params}).to_string()))?;
        let until = Instant::now() + self.deadline;
        loop {
            let Some(answer) = self.read(until)? else {
                return failed(format!("{method}: no answer in {:?}", self.deadline));
            };
            if answer["id"] == json!(id) {
                if answer["type"] == "error" {
                    return failed(format!("{method}: {}: {}", answer["error"].as_str().unwrap_or("error"), answer["message"].as_str().unwrap_or("")));
                }
                return Ok(answer["result"].clone());
            }
            if answer.get("method").is_some() {
                self.keep(answer);
            }
        }
    }

    /// The events that came in since the last call, oldest first.
    pub fn take_events(&mut self) -> Driven<Vec<Value>> {
        while let Some(event) = self.read(Instant::now())? {
            self.keep(event);
        }
        Ok(self.events.drain(..).collect())
    }

    fn keep(&mut self, event: Value) {
        // A page that logs without end must not eat the test's memory.
        if self.events.len() == 10_000 {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn read(&mut self, until: Instant) -> Driven<Option<Value>> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    return serde_json::from_str(&text).map(Some).map_err(|error| DriveError(format!("the browser sent no JSON: {error}")));
                }
                Ok(Message::Close(_)) => return failed("the browser closed the connection"),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if Instant::now() >= until {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
