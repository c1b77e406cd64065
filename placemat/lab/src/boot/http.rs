//! The boot server's HTTP:
//!
//! | path | what |
//! |---|---|
//! | `/boot.efi` | the asking machine's image's UKI |
//! | `/images/NAME/FILE` | any file of an image |
//! | `/machines/SERIAL/FILE` | a machine's configuration |
//!
//! Every answer is reported, so that one can see who fetched what, and how much of it.

use super::file::{self, Sent};
use super::site::{BootSite, Found, SiteMachine};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::serve::ListenerExt;
use placemat_spec::event::LabEventKind;
use placemat_spec::resource::Name;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Hears of every request.
pub trait HttpObserver: Send + Sync + 'static {
    /// A machine asked for something; the answer has not begun. `node` is absent where the address
    /// is no machine's.
    fn asked(&self, node: Option<&Name>, path: &str);

    /// An answer is over. `event` is a [`LabEventKind::Http`].
    fn answered(&self, node: Option<&Name>, event: LabEventKind);
}

#[derive(Clone)]
struct Server {
    site: Arc<BootSite>,
    observer: Arc<dyn HttpObserver>,
}

/// Serves `site` on a listener, which may be of any network namespace, until `cancel`. Answers that
/// have begun are cut off then.
pub async fn serve(
    listener: TcpListener,
    site: Arc<BootSite>,
    observer: Arc<dyn HttpObserver>,
    cancel: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
        // Small answers go at once; an error here only makes them slower.
        let _ = stream.set_nodelay(true);
    });
    let app = Router::new()
        .fallback(answer)
        .with_state(Server { site, observer });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    cancel
        .run_until_cancelled(axum::serve(listener, service).into_future())
        .await
        .unwrap_or(Ok(()))
}

async fn answer(
    State(server): State<Server>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let machine = server.site.machine_at(client.ip());
    let node = machine.map(|machine| machine.node.clone());
    server.observer.asked(node.as_ref(), &path);
    let observer = server.observer.clone();
    let told = path.clone();
    let sent = move |status: StatusCode| -> Sent {
        Box::new(move |bytes| {
            let event = LabEventKind::Http {
                path: told,
                status: status.as_u16(),
                bytes,
                client: client.ip().to_canonical().to_string(),
            };
            observer.answered(node.as_ref(), event);
        })
    };
    let asked = Asked {
        machine,
        method: request.method(),
        headers: request.headers(),
        path: &path,
    };
    // A request's body is not `Sync`, so the request as a whole stays here.
    act(&server.site, asked, sent).await
}

struct Asked<'a> {
    machine: Option<&'a SiteMachine>,
    method: &'a Method,
    headers: &'a HeaderMap,
    path: &'a str,
}

async fn act(
    site: &BootSite,
    asked: Asked<'_>,
    sent: impl FnOnce(StatusCode) -> Sent,
) -> Response<Body> {
    if !matches!(*asked.method, Method::GET | Method::HEAD) {
        return file::words(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n", sent);
    }
    match site.find(asked.path, asked.machine) {
        Found::File(path) => file::answer(&path, asked.method, asked.headers, sent).await,
        Found::Nothing(why) => file::words(StatusCode::NOT_FOUND, &format!("{why}\n"), sent),
    }
}

#[cfg(test)]
mod tests;
