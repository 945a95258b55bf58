//! HTTP as a client speaks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rashomon_systems::api::{HttpRequest, HttpResponse, TransportError};

const TIMEOUT: Duration = Duration::from_secs(20);

/// One request on a connection of its own.
pub(crate) fn request(address: SocketAddr, asked: &HttpRequest) -> Result<HttpResponse, TransportError> {
    let not_sent = |error: std::io::Error| TransportError::NotSent(error.to_string());
    let broken = |error: std::io::Error| TransportError::Broken(error.to_string());
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(not_sent)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(not_sent)?;
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        asked.method.as_str(),
        asked.path_and_query,
        asked.body.len()
    );
    stream.write_all(&[head.as_bytes(), &asked.body].concat()).map_err(broken)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).map_err(broken)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| TransportError::Broken(format!("no status in {line:?}")))?;
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line).map_err(broken)?;
    }
    let mut body = Vec::new();
    reader.read_to_end(&mut body).map_err(broken)?;
    Ok(HttpResponse { status, body: body.into() })
}
