//! The client against a server on loopback that misbehaves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use sealbridge_inquire::{Address, Client, Reach, Service};

/// Answers every connection with this; empty: never.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request);
            let _written = stream.write_all(answer);
            if answer.is_empty() {
                kept.push(stream);
            }
        }
    });
    format!("http://{address}/list.crl")
}

#[test]
fn misbehaviour_has_a_code() {
    let except = |host: &str| Reach::Public { except: vec![host.parse().unwrap()] };
    let (here, here_at_80) = (|at: &str| except(at), |at: &str| except(at.split(':').next().unwrap()));
    let (any, outside) = (|_: &str| Reach::Any, |_: &str| Reach::Public { except: Vec::new() });
    type Limits<'a> = &'a dyn Fn(&str) -> Reach;
    for (answer, reach, code) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"[..], &here as Limits<'_>, "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", &any, "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", &outside, "service-address-refused"),
        // The same host, but the port is not the one that was named.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", &here_at_80, "service-address-refused"),
        // Sent on to machines of this network, to another port or scheme, in circles.
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", &here, "service-address-refused"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n", &here, "service-address-refused"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", &here, "service-address-refused"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", &here, "service-address-refused"),
        (b"HTTP/1.1 302 Found\r\nLocation: /list.crl\r\nContent-Length: 0\r\n\r\n", &here, "service-unreachable"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", &here, "service-unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nabcdefghijk", &here, "service-answer-too-large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n", &here, "service-answer-too-large"),
        (b"nonsense", &here, "service-unreachable"),
        (b"", &here, "service-timed-out"),
        // Half an answer, and then nothing more.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", &here, "service-unreachable"),
    ] {
        let url = server(answer);
        let client = Client::new(Duration::from_millis(700), reach(url.split('/').nth(2).unwrap()));
        let started = Instant::now();
        let told = client.get(&Address::new(Service::List, &url).unwrap(), 10);
        assert_eq!(told.map_or_else(|failure| failure.code.as_str(), |_| "ok"), code, "{}", String::from_utf8_lossy(answer));
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}
