//! A plain site of somebody else: a few fixed pages over HTTP on loopback, the page client among them, with no policy of its
//! own. It stands in for sites where the extension is not enabled, and for pages that put a portal into a frame.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bidi::Driven;
use crate::world::target;

/// A running site; it ends with the process.
#[derive(Debug)]
pub struct Site {
    /// The port it listens on, on 127.0.0.1 and so on localhost too.
    pub port: u16,
    posted: Posted,
}

/// Path and body of every POST, in order.
type Posted = Arc<Mutex<Vec<(String, String)>>>;

/// Longer bodies are not read.
const BODY_MAX: u64 = 65_536;

impl Site {
    /// Serves `pages` (path to HTML, or to a script where the path ends so) and the page client at `/client/sealbridge.js`.
    pub fn open(pages: &[(&str, &str)]) -> Driven<Self> {
        Self::open_with_answers(pages, &[])
    }

    /// Also answers every POST to a path of `answers` with its JSON and remembers what was posted; the page client lies at
    /// `/sealbridge.js` too.
    pub fn open_with_answers(pages: &[(&str, &str)], answers: &[(&str, &str)]) -> Driven<Self> {
        let mut files: BTreeMap<String, (&'static str, Vec<u8>)> = BTreeMap::new();
        let client = std::fs::read(target().join("extension/page-client/sealbridge.js"))?;
        files.insert("/client/sealbridge.js".into(), ("text/javascript", client.clone()));
        files.insert("/sealbridge.js".into(), ("text/javascript", client));
        for (path, json) in answers {
            files.insert(format!("POST {path}"), ("application/json", json.as_bytes().to_vec()));
        }
        for (path, html) in pages {
            let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html; charset=utf-8" };
            files.insert((*path).to_owned(), (kind, html.as_bytes().to_vec()));
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let posted = Posted::default();
        let bodies = Arc::clone(&posted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A browser that hangs up in the middle is no failure of the site.
                let _ = answer(stream, &files, &bodies);
            }
        });
        Ok(Self { port, posted })
    }

    /// The bodies that were posted to `path`, in order.
    pub fn posted(&self, path: &str) -> Vec<String> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

fn answer(mut stream: TcpStream, files: &BTreeMap<String, (&'static str, Vec<u8>)>, posted: &Posted) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let posts = line.starts_with("POST ");
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut length = 0;
    while line != "\r\n" && !line.is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(("content-length", value)) = line.to_ascii_lowercase().split_once(':') {
            length = value.trim().parse::<u64>().unwrap_or(0).min(BODY_MAX);
        }
    }
    if posts {
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        posted.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), String::from_utf8_lossy(&body).into_owned()));
    }
    let path = path.split('?').next().unwrap_or_default();
    let found = if posts { files.get(&format!("POST {path}")) } else { files.get(path) };
    let (status, kind, body) = match found {
        Some((kind, body)) => ("200 OK", *kind, body.as_slice()),
        None => ("404 Not Found", "text/plain", b"not here".as_slice()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}
