//! An HTTP server that answers as a test tells it, one connection after the other.

use placemat_spec::value::HttpUrl;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What was asked: its lines.
#[derive(Debug, Clone)]
pub(super) struct Asked(Vec<String>);

impl Asked {
    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The path.
    pub(super) fn path(&self) -> &str {
        self.0[0].split(' ').nth(1).unwrap_or_default()
    }
}

/// A server with a list of answers; after the last it answers nothing more.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) url: HttpUrl,
    asked: Arc<Mutex<Vec<Asked>>>,
    news: Mutex<Receiver<()>>,
    release: Sender<()>,
    closed: Mutex<Option<Receiver<()>>>,
}

impl Server {
    /// Answers at once.
    pub(super) fn start(answers: Vec<Vec<u8>>) -> Self {
        Self::new(answers, false)
    }

    /// Answers when it is told to.
    pub(super) fn slow(answers: Vec<Vec<u8>>) -> Self {
        Self::new(answers, true)
    }

    fn new(answers: Vec<Vec<u8>>, slow: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let address = listener.local_addr().expect("address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (tell, news) = channel();
        let (release, released) = channel();
        let (close, closed) = channel();
        let log = asked.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((stream, _)) = listener.accept() else {
                    break;
                };
                serve(stream, &answer, |asked| {
                    log.lock().expect("log").push(asked);
                    let _ = tell.send(());
                    if slow {
                        let _ = released.recv();
                    }
                });
            }
            drop(listener);
            let _ = close.send(());
        });
        Self {
            address,
            url: format!("http://{address}/images/disk.img")
                .parse()
                .expect("URL"),
            asked,
            news: Mutex::new(news),
            release,
            closed: Mutex::new(Some(closed)),
        }
    }

    /// All that was asked so far.
    pub(super) fn requests(&self) -> Vec<Asked> {
        self.asked.lock().expect("log").clone()
    }

    /// Waits until it is asked.
    pub(super) fn asked(&self) {
        self.news.lock().expect("news").recv().expect("asked");
    }

    /// Lets a slow server answer.
    pub(super) fn release(&self) {
        self.release.send(()).expect("it waits");
    }

    /// Waits until it listens no more.
    pub(super) fn close(&self) {
        let closed = self.closed.lock().expect("closed").take();
        closed.expect("once").recv().expect("closed");
    }
}

fn serve(mut stream: TcpStream, answer: &[u8], tell: impl FnOnce(Asked)) {
    let reader = BufReader::new(stream.try_clone().expect("stream"));
    let lines = reader.lines().map_while(Result::ok);
    let lines = lines.take_while(|line| !line.is_empty());
    tell(Asked(lines.collect()));
    // The client may have gone.
    let _ = stream.write_all(answer);
}

/// An answer with its length.
pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut text =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (key, value) in headers {
        text.extend([key, ": ", value, "\r\n"]);
    }
    text += "\r\n";
    [text.as_bytes(), body].concat()
}

/// A whole file.
pub(super) fn ok(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    reply(200, headers, body)
}

/// The head of a whole file, and a body that ends after `count` bytes.
pub(super) fn cut(headers: &[(&str, &str)], body: &[u8], count: usize) -> Vec<u8> {
    let mut answer = ok(headers, body);
    answer.truncate(answer.len() - body.len() + count);
    answer
}
