//! `placemat capture`.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use crate::{launch, pcapng, talk};
use anyhow::Context;
use placemat_host::packet::{Frame, Listener};
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// Frames that wait to be written; what comes while they do waits in the kernel.
const BACKLOG: usize = 1024;
/// For what is yet to be written when a signal comes.
const GRACE: Duration = Duration::from_secs(1);

/// Arguments of `capture`.
#[derive(Debug, clap::Args)]
pub(super) struct Capture {
    /// `TARGET[:INTERFACE]` or `NETWORK` (`network/NAME` where a target has that name too). Ctrl-C
    /// ends it.
    what: String,
    /// File to write, as pcapng; `-` is standard output: `placemat capture router/r1 -w - | wireshark -k -i -`.
    #[arg(
        short = 'w',
        long = "write",
        value_name = "FILE|-",
        default_value = "-"
    )]
    write: PathBuf,
    /// Ends after this many frames.
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Keeps this many bytes of each frame.
    #[arg(short = 's', long, value_name = "BYTES", default_value = "262144", value_parser = clap::value_parser!(u32).range(14..=262_144))]
    snaplen: u32,
    #[command(flatten)]
    lab: LabArg,
}

impl Capture {
    pub(super) fn run(self) -> Result<u8, Failure> {
        refuse_terminal(&self.write)?;
        let entry = self.lab.find()?;
        let most = usize::try_from(self.snaplen).unwrap_or(usize::MAX);
        let request = Request::Capture { what: self.what };
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            client.send(&request, &[]).await?;
            let (answer, sockets) = client.answer_with_descriptors().await?;
            let Answer::Capturing { links } = answer else {
                return Err(ClientError::Unexpected(Box::new(answer)).into());
            };
            // Not before: what is there already is not lost to a name spelled wrong.
            let file = output(&self.write)?;
            let mut stop = Stop::new()?;
            let (chunks, waiting) = mpsc::channel(1);
            let writer = tokio::task::spawn_blocking(move || write(file, waiting));
            // Only a writer that failed hears nothing, and that is told in the end.
            let _ = chunks.send(pcapng::head(&links, most)).await;
            let (frames, mut received) = mpsc::channel(BACKLOG);
            // Dropped with this function, and the sockets with them.
            let mut listening = JoinSet::new();
            for (index, socket) in sockets.into_iter().enumerate() {
                let listener = Listener::new(socket).context("listen to a link")?;
                let frames = frames.clone();
                listening.spawn(async move { listen(index, &listener, most, &frames).await });
            }
            drop(frames);
            talk::say(&format!("capturing {}; Ctrl-C ends it", links.join(", ")));
            let end = until_end(&mut client, &mut received, &chunks, self.count, &mut stop);
            let (count, told) = end.await;
            drop(chunks);
            finish(writer, told, &mut stop).await?;
            talk::say(&talk::count(
                usize::try_from(count).unwrap_or(usize::MAX),
                "frame",
                "frames",
            ));
            Ok(exit::OK)
        })
    }
}

/// Whether it goes to standard output.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Bytes are of no use on a terminal.
fn refuse_terminal(path: &Path) -> Result<(), Failure> {
    if is_stdout(path) && io::stdout().is_terminal() {
        let error = anyhow::anyhow!("a capture is not for terminals");
        return Err(Failure::new(exit::USAGE, error)
            .hint("write it to a file with -w FILE, or pipe it: | wireshark -k -i -"));
    }
    Ok(())
}

/// Where it goes.
fn output(path: &Path) -> Result<File, Failure> {
    if !is_stdout(path) {
        let file = File::create(path).with_context(|| format!("create {}", path.display()));
        return file.code(exit::HOST);
    }
    let copy = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned();
    Ok(File::from(copy.context("copy standard output")?))
}

/// Writes what comes until no more can. A reader that is gone is how a capture into a pipe ends.
fn write(mut file: File, mut chunks: mpsc::Receiver<Vec<u8>>) -> Result<(), Failure> {
    while let Some(bytes) = chunks.blocking_recv() {
        match file.write_all(&bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error).context("write the capture").code(exit::HOST),
        }
    }
    Ok(())
}

/// Waits until all is written; not for long once a signal came, since the reader may stand still.
async fn finish(
    mut writer: JoinHandle<Result<(), Failure>>,
    told: bool,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let patience = async {
        if !told {
            stop.come().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        done = &mut writer => done.context("write the capture")?,
        () = patience => Ok(()),
    }
}

/// The signals that end a capture.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listen for signals")?,
            terminate: signal(SignalKind::terminate()).context("listen for signals")?,
        })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn listen(
    index: usize,
    listener: &Listener,
    most: usize,
    frames: &mpsc::Sender<(usize, Frame)>,
) -> io::Result<()> {
    loop {
        let frame = listener.next(most).await?;
        if frames.send((index, frame)).await.is_err() {
            return Ok(());
        }
    }
}

/// Hands on frames until there are enough, a signal comes, the reader goes or the lab does. How many,
/// and whether it was a signal.
async fn until_end(
    client: &mut Client,
    frames: &mut mpsc::Receiver<(usize, Frame)>,
    chunks: &mpsc::Sender<Vec<u8>>,
    most: Option<u64>,
    stop: &mut Stop,
) -> (u64, bool) {
    let mut written = 0;
    loop {
        let (index, frame) = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => frame,
                None => return (written, false),
            },
            // The lab says nothing more: this is its end.
            _ = client.answer() => return (written, false),
            () = stop.come() => return (written, true),
        };
        let mut bytes = pcapng::packet(index, &frame);
        let mut count = 1;
        // All that waits goes in one write.
        while most.is_none_or(|most| written + count < most)
            && let Ok((index, frame)) = frames.try_recv()
        {
            bytes.extend(pcapng::packet(index, &frame));
            count += 1;
        }
        tokio::select! {
            sent = chunks.send(bytes) => if sent.is_err() {
                return (written, false);
            },
            () = stop.come() => return (written, true),
        }
        written += count;
        if most.is_some_and(|most| written >= most) {
            return (written, false);
        }
    }
}
