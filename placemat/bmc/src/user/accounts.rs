//! Logging in, by whatever front end: users, and who of them is locked out after too many wrong
//! passwords.
//!
//! Lockout is off unless somebody asks for it: whoever knows a user's name can lock that user out,
//! and a lab's scripts try wrong passwords on purpose.

use super::{User, UserTable};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When a user is locked out (IPMI 2.0 table 23-4, bad password threshold; Redfish's
/// `AccountService`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// Wrong passwords in a row that lock a user out; 0: none do.
    pub threshold: u8,
    /// For how long.
    pub duration: Duration,
    /// A wrong password is forgiven this long after it.
    pub reset_after: Duration,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        Self {
            threshold: 0,
            duration: Duration::from_secs(30),
            reset_after: Duration::from_secs(30),
        }
    }
}

/// The users of one BMC, and how their log-ins went. All moments are durations since the BMC came
/// to be.
#[derive(Debug)]
pub struct Accounts {
    users: UserTable,
    lockout: Mutex<Lockout>,
}

#[derive(Debug, Default)]
struct Lockout {
    policy: LockoutPolicy,
    /// By user, so never more than there are users.
    failures: BTreeMap<String, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u8,
    last: Duration,
    locked_until: Option<Duration>,
}

impl Accounts {
    /// Users who have not tried yet.
    pub fn new(users: UserTable, policy: LockoutPolicy) -> Self {
        let failures = BTreeMap::new();
        Self {
            users,
            lockout: Mutex::new(Lockout { policy, failures }),
        }
    }

    /// All users, locked out or not.
    pub fn users(&self) -> &UserTable {
        &self.users
    }

    /// When users are locked out.
    pub fn policy(&self) -> LockoutPolicy {
        self.lock().policy
    }

    /// Sets when users are locked out. Those who are stay so for as long as they were told.
    pub fn set_policy(&self, policy: LockoutPolicy) {
        self.lock().policy = policy;
    }

    /// Whether a user is locked out.
    pub fn is_locked(&self, now: Duration, name: &str) -> bool {
        let end = self
            .lock()
            .failures
            .get(name)
            .and_then(|failures| failures.locked_until);
        end.is_some_and(|end| now < end)
    }

    /// Finds a user who may try to log in.
    pub fn find(&self, now: Duration, name: &[u8]) -> Option<&User> {
        self.users
            .find(name)
            .filter(|user| !self.is_locked(now, &user.name))
    }

    /// Finds a user who may log in, and checks the password.
    pub fn authenticate(&self, now: Duration, name: &str, password: &str) -> Option<&User> {
        let user = self.find(now, name.as_bytes())?;
        if user.has_password(password) {
            self.succeeded(&user.name);
            Some(user)
        } else {
            self.failed(now, &user.name);
            None
        }
    }

    /// A user has proved to know the password.
    pub fn succeeded(&self, name: &str) {
        self.lock().failures.remove(name);
    }

    /// Somebody has tried a wrong password.
    pub fn failed(&self, now: Duration, name: &str) {
        if self.users.find(name.as_bytes()).is_none() {
            return;
        }
        let mut lockout = self.lock();
        let policy = lockout.policy;
        let failures = lockout.failures.entry(name.to_owned()).or_insert(Failures {
            count: 0,
            last: now,
            locked_until: None,
        });
        let forgiven = now.saturating_sub(failures.last) >= policy.reset_after;
        if forgiven || failures.locked_until.is_some_and(|end| now >= end) {
            failures.count = 0;
            failures.locked_until = None;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if policy.threshold != 0
            && failures.count >= policy.threshold
            && failures.locked_until.is_none()
        {
            tracing::info!(user = name, "locked out of the BMC");
            failures.locked_until = Some(now + policy.duration);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lockout> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn accounts(threshold: u8) -> Accounts {
        let users = UserTable::administrator("admin", "placemat").expect("valid");
        let policy = LockoutPolicy {
            threshold,
            duration: at(60),
            reset_after: at(10),
        };
        Accounts::new(users, policy)
    }

    fn tries(accounts: &Accounts, now: Duration, password: &str) -> bool {
        accounts.authenticate(now, "admin", password).is_some()
    }

    #[test]
    fn nobody_is_locked_out_unless_asked_for() {
        let accounts = accounts(LockoutPolicy::default().threshold);
        for second in 0..1000 {
            assert!(!tries(&accounts, at(second), "wrong"));
        }
        assert!(tries(&accounts, at(1000), "placemat"));
    }

    #[test]
    fn the_last_of_too_many_locks_out_for_a_while() {
        let accounts = accounts(3);
        for second in 0..3 {
            assert!(!accounts.is_locked(at(second), "admin"));
            assert!(!tries(&accounts, at(second), "wrong"));
        }
        assert!(accounts.is_locked(at(3), "admin"));
        assert!(!tries(&accounts, at(3), "placemat"));
        assert!(!tries(&accounts, at(61), "wrong"), "no longer for trying");
        assert!(tries(&accounts, at(62), "placemat"));
        assert!(!tries(&accounts, at(63), "wrong"));
        assert!(
            tries(&accounts, at(63), "placemat"),
            "it counts from 0 again"
        );
    }

    #[test]
    fn time_and_the_right_password_forgive() {
        let accounts = accounts(2);
        for second in [0, 10, 20] {
            assert!(!tries(&accounts, at(second), "wrong"));
            assert!(!accounts.is_locked(at(second), "admin"), "{second}");
        }
        for second in 30..40 {
            assert!(!tries(&accounts, at(second), "wrong"));
            assert!(tries(&accounts, at(second), "placemat"), "{second}");
        }
    }

    #[test]
    fn names_that_nobody_has_take_no_room() {
        let accounts = accounts(1);
        for number in 0..100 {
            accounts.failed(at(0), &number.to_string());
            assert!(
                accounts
                    .authenticate(at(0), &number.to_string(), "x")
                    .is_none()
            );
        }
        assert!(accounts.lock().failures.is_empty());
    }
}
