//! The last phase of a boot: BGP, as the server's own BIRD tells of it, whatever the tier.

use super::Lab;
use crate::server::Server;
use placemat_spec::event::BootPhase;
use std::time::Duration;

/// First pause between two looks at a BIRD, which tells only who asks; doubles up to
/// [`LONGEST_PAUSE`]. A look into a guest costs it some milliseconds, more without KVM.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that has no session after this much looking speaks no BGP, as far as its boot goes.
const LONGEST_LOOK: Duration = Duration::from_secs(300);

impl Lab {
    /// Follows the boots of every server to BGP, until the lab ends.
    pub(super) fn follow_bgp(&self) {
        self.servers()
            .into_iter()
            .for_each(|server| self.follow_bgp_on(server));
    }

    /// Follows the boots of one, until it is gone.
    pub(super) fn follow_bgp_on(&self, server: Server) {
        let (lab, retired) = (self.clone(), server.retired().clone());
        self.tasks().spawn(async move {
            retired
                .run_until_cancelled(lab.follow_bgp_of(&server))
                .await;
        });
    }

    async fn follow_bgp_of(&self, server: &Server) {
        let (track, target) = (server.track(), server.target());
        loop {
            track.wait_for(BootPhase::Agent).await;
            let boot = track.boots();
            let look = async {
                let mut pause = FIRST_PAUSE;
                // What cannot be asked at the moment (it boots, BIRD starts) is asked again.
                while !self.has_session(server).await {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            };
            tokio::select! {
                seen = tokio::time::timeout(LONGEST_LOOK, look) => {
                    if seen.is_ok() && track.boots() == boot {
                        track.reach(BootPhase::Bgp, None);
                    } else if seen.is_err() {
                        tracing::debug!(%target, boot, "no BGP session");
                    }
                    track.until_over(boot).await;
                }
                () = track.until_over(boot) => {}
            }
        }
    }

    async fn has_session(&self, server: &Server) -> bool {
        let sessions = self.bgp(&server.target()).await.unwrap_or_default();
        sessions
            .iter()
            .any(|session| session.state == "Established")
    }
}
