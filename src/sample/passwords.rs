//! Passwords of archives: those with which malware is exchanged, and what the user gave. They are kept in
//! memory and written nowhere.

/// Tried on every encrypted archive.
const USUAL: [&str; 2] = ["infected", "malware"];

/// Passwords to try, in order.
#[derive(Clone)]
pub struct Passwords(Vec<String>);

impl Default for Passwords {
    fn default() -> Self {
        Self(USUAL.map(str::to_owned).to_vec())
    }
}

impl Passwords {
    /// The usual ones and `own`, which are tried first.
    pub fn with(own: impl IntoIterator<Item = String>) -> Self {
        let mut all = Self::default();
        for password in own {
            all.add(password);
        }
        all
    }

    /// One more, to be tried first.
    pub fn add(&mut self, password: String) {
        self.0.retain(|known| *known != password);
        self.0.insert(0, password);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: the usual ones are always there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    pub fn get(&self, which: usize) -> Option<&str> {
        self.0.get(which).map(String::as_str)
    }

    /// All, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Not the passwords themselves.
impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passwords", self.0.len())
    }
}
