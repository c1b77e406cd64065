//! A web server on loopback that has one file.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Serves the same bytes to whoever asks, whatever for, until the test ends. Gives its address.
///
/// # Panics
///
/// When it cannot listen.
pub fn serve(body: Vec<u8>) -> String {
    serve_on(TcpListener::bind("127.0.0.1:0").expect("listen"), body)
}

/// As [`serve`], to whoever connects to a socket.
///
/// # Panics
///
/// When the socket has no address.
pub fn serve_on(listener: TcpListener, body: Vec<u8>) -> String {
    let address = listener.local_addr().expect("address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(copy) = stream.try_clone() else {
                continue;
            };
            let lines = BufReader::new(copy).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            // A client may be gone.
            let _ = stream.write_all(&[head.as_bytes(), body.as_slice()].concat());
        }
    });
    address
}
