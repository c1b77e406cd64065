//! Who may log in, and what they may do. One table for IPMI and Redfish.

mod accounts;

pub use accounts::{Accounts, LockoutPolicy};

use subtle::ConstantTimeEq;

/// Privilege levels, least first (IPMI 2.0 section 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// May only start a callback; here: nothing but the commands open to all.
    Callback = 1,
    /// May read.
    User = 2,
    /// May also act on power and boot.
    Operator = 3,
    /// May do everything.
    Administrator = 4,
}

impl Privilege {
    /// Reads the four-bit code of IPMI messages; `None` for codes outside 1 to 4.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Callback),
            2 => Some(Self::User),
            3 => Some(Self::Operator),
            4 => Some(Self::Administrator),
            _ => None,
        }
    }

    /// The four-bit code of IPMI messages.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The role's name in Redfish (DSP0266 section 13.5, predefined roles).
    pub fn role(self) -> &'static str {
        match self {
            Self::Callback | Self::User => "ReadOnly",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }
}

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Name, 1 to 16 bytes (IPMI 2.0 section 22.28).
    pub name: String,
    /// Password, 1 to 20 bytes (IPMI 2.0 section 22.30).
    pub password: String,
    /// The most this user may do.
    pub privilege: Privilege,
}

impl User {
    /// Checks the password, in time that does not depend on how much of it is right.
    pub fn has_password(&self, password: &str) -> bool {
        self.password.as_bytes().ct_eq(password.as_bytes()).into()
    }
}

/// A user that the table does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Name empty or too long.
    #[error("BMC user `{0}`: the name must have 1 to 16 bytes")]
    Name(String),
    /// Password empty or too long.
    #[error("BMC user `{0}`: the password must have 1 to 20 bytes")]
    Password(String),
    /// Two users of one name.
    #[error("BMC user `{0}` is there twice")]
    Duplicate(String),
    /// More users than there are slots.
    #[error("{0} BMC users: there is room for 15")]
    TooMany(usize),
}

/// All users of one BMC.
#[derive(Debug, Clone)]
pub struct UserTable {
    users: Vec<User>,
}

impl UserTable {
    /// Checks the users and makes the table.
    pub fn new(users: Vec<User>) -> Result<Self, UserError> {
        if users.len() > 15 {
            return Err(UserError::TooMany(users.len()));
        }
        for (index, user) in users.iter().enumerate() {
            if !(1..=16).contains(&user.name.len()) {
                return Err(UserError::Name(user.name.clone()));
            }
            if !(1..=20).contains(&user.password.len()) {
                return Err(UserError::Password(user.name.clone()));
            }
            if users[..index].iter().any(|other| other.name == user.name) {
                return Err(UserError::Duplicate(user.name.clone()));
            }
        }
        Ok(Self { users })
    }

    /// A table of one administrator.
    pub fn administrator(name: &str, password: &str) -> Result<Self, UserError> {
        Self::new(vec![User {
            name: name.to_owned(),
            password: password.to_owned(),
            privilege: Privilege::Administrator,
        }])
    }

    /// Finds a user by name.
    pub fn find(&self, name: &[u8]) -> Option<&User> {
        self.users.iter().find(|user| user.name.as_bytes() == name)
    }

    /// Users in order; IPMI numbers them from 2, since 1 is the anonymous user, which is disabled.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &User> {
        self.users.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password: &str) -> User {
        User {
            name: name.to_owned(),
            password: password.to_owned(),
            privilege: Privilege::User,
        }
    }

    #[test]
    fn refuses_what_ipmi_cannot_carry() {
        let long = "x".repeat(21);
        let errors = [
            UserTable::new(vec![user("", "p")]),
            UserTable::new(vec![user(&long, "p")]),
            UserTable::new(vec![user("a", "")]),
            UserTable::new(vec![user("a", &long)]),
            UserTable::new(vec![user("a", "p"), user("a", "q")]),
            UserTable::new((0..16).map(|n| user(&n.to_string(), "p")).collect()),
        ]
        .map(|result| result.expect_err("must be refused").to_string());
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn the_whole_password_counts() {
        let user = user("a", "secret");
        assert!(user.has_password("secret"));
        assert!(!user.has_password("secre"));
        assert!(!user.has_password("secrets"));
    }
}
