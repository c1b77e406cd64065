//! The boot server's HTTP:
//!
//! | path | what |
//! |---|---|
//! | `/boot.efi` | the UKI of the asking machine's image, or iPXE |
//! | `/boot.ipxe` | a script that sends iPXE to the machine's own |
//! | `/machines/SERIAL/boot.ipxe` | a machine's script |
//! | `/images/NAME/FILE` | any file of an image |
//! | `/machines/SERIAL/FILE` | a machine's configuration |
//! | `/probe` | bytes for the lab, which looks at faults with them |
//!
//! Every answer is reported, so that one can see who fetched what, and how much of it.

use super::file::{self, Sent, Wish};
use super::site::{BootSite, Found, PROBE_PATH, SiteMachine};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::serve::ListenerExt;
use placemat_spec::event::LabEventKind;
use placemat_spec::resource::{HttpFault, Name};
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
    fn answered(&self, event: LabEventKind);
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
    let node = machine.as_ref().map(|machine| machine.node.clone());
    // The lab's own look is nobody's request.
    let looks = path == PROBE_PATH;
    if !looks {
        server.observer.asked(node.as_ref(), &path);
    }
    let observer = server.observer.clone();
    let told = path.clone();
    let over = move |status: u16, bytes| {
        if !looks {
            observer.answered(LabEventKind::Http {
                node,
                path: told,
                status,
                bytes,
                client: client.ip().to_canonical().to_string(),
            });
        }
    };
    let mut fault = server.site.fault();
    if *fault.borrow() == Some(HttpFault::Silent) {
        over(0, 0);
        // Until it is healed; whoever still waits then may ask again. The sender is the site's.
        let _ = fault.wait_for(|now| *now != Some(HttpFault::Silent)).await;
        return file::words(StatusCode::SERVICE_UNAVAILABLE, "ask again\n", |_| {
            Box::new(|_| ())
        });
    }
    let sent =
        move |status: StatusCode| -> Sent { Box::new(move |bytes| over(status.as_u16(), bytes)) };
    let asked = Asked {
        machine: machine.as_ref(),
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
    let fault = site.fault();
    if *fault.borrow() == Some(HttpFault::NotFound) {
        return file::words(StatusCode::NOT_FOUND, "a fault: nothing is here\n", sent);
    }
    let wish = Wish {
        method: asked.method,
        headers: asked.headers,
        fault,
    };
    match site.find(asked.path, asked.machine) {
        Found::File(path) => file::answer(&path, wish, sent).await,
        Found::Text(text) => file::text(text, wish, sent).await,
        Found::Nothing(why) => file::words(StatusCode::NOT_FOUND, &format!("{why}\n"), sent),
    }
}

#[cfg(test)]
mod tests;
