//! A small HTTP server with ranges, for downloads.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// Serves `body` at any path but `/missing` until the process ends; `/norange` ignores ranges. Answers its address.
pub(crate) fn serve(body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &body);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, body: &[u8]) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut path, mut from, mut line) = (String::new(), 0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(rest) = line.strip_prefix("GET ") {
            rest.split(' ').next().unwrap_or_default().clone_into(&mut path);
        }
        if let Some(rest) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            from = rest.split('-').next().unwrap_or_default().parse().unwrap_or(0);
        }
        line.clear();
    }
    let from = if path == "/norange" { 0 } else { from };
    let (status, part) = match (path.as_str(), body.get(from..)) {
        ("/missing", _) => ("404 Not Found", &[][..]),
        (_, None | Some([])) => ("416 Range Not Satisfiable", &[][..]),
        (_, Some(part)) if from > 0 => ("206 Partial Content", part),
        (_, Some(part)) => ("200 OK", part),
    };
    let range = format!(
        "Content-Range: bytes {from}-{}/{}\r\n",
        body.len().saturating_sub(1),
        body.len()
    );
    let range = if status.starts_with("206") { range.as_str() } else { "" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{range}Connection: close\r\n\r\n",
        part.len()
    )?;
    stream.write_all(part)
}
