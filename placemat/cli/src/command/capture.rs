//! `placemat capture`.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use crate::{launch, pcapng, talk};
use anyhow::Context;
use placemat_host::packet::{Frame, Listener};
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Frames that wait to be written; what comes while they do waits in the kernel.
const BACKLOG: usize = 1024;

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
        let out = output(&self.write)?;
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
            let mut file = BufWriter::new(out);
            let began = write(&mut file, &pcapng::head(&links, most));
            if !began? {
                return Ok(exit::OK);
            }
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
            let count = until_end(&mut client, &mut received, &mut file, self.count).await?;
            talk::say(&talk::count(
                usize::try_from(count).unwrap_or(usize::MAX),
                "frame",
                "frames",
            ));
            Ok(exit::OK)
        })
    }
}

/// Where it goes. Bytes are of no use on a terminal.
fn output(path: &Path) -> Result<File, Failure> {
    if path != Path::new("-") {
        let file = File::create(path).with_context(|| format!("create {}", path.display()));
        return file.code(exit::HOST);
    }
    let stdout = io::stdout();
    if stdout.is_terminal() {
        let error = anyhow::anyhow!("a capture is not for terminals");
        return Err(Failure::new(exit::USAGE, error)
            .hint("write it to a file with -w FILE, or pipe it: | wireshark -k -i -"));
    }
    let copy = std::os::fd::AsFd::as_fd(&stdout).try_clone_to_owned();
    Ok(File::from(copy.context("copy standard output")?))
}

/// Writes; `false` once the reader is gone, which is how a capture into a pipe ends.
fn write(file: &mut BufWriter<File>, bytes: &[u8]) -> Result<bool, Failure> {
    match file.write_all(bytes).and_then(|()| file.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("write the capture").code(exit::HOST),
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

/// Writes frames until there are enough, a signal comes, the reader goes or the lab does.
async fn until_end(
    client: &mut Client,
    frames: &mut mpsc::Receiver<(usize, Frame)>,
    file: &mut BufWriter<File>,
    most: Option<u64>,
) -> Result<u64, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for signals")?;
    let mut written = 0;
    loop {
        let (index, frame) = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => frame,
                None => return Ok(written),
            },
            // The lab says nothing more: this is its end.
            _ = client.answer() => return Ok(written),
            _ = interrupt.recv() => return Ok(written),
            _ = terminate.recv() => return Ok(written),
        };
        let mut bytes = pcapng::packet(index, &frame);
        written += 1;
        // All that waits goes in one write.
        while most.is_none_or(|most| written < most)
            && let Ok((index, frame)) = frames.try_recv()
        {
            bytes.extend(pcapng::packet(index, &frame));
            written += 1;
        }
        if !write(file, &bytes)? || most.is_some_and(|most| written >= most) {
            return Ok(written);
        }
    }
}
