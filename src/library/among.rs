//! Which samples of a library may be neighbours.

/// Which samples may be neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Among {
    /// All.
    #[default]
    All,
    /// Those with one of these labels.
    Labels(Vec<String>),
}

impl Among {
    /// Whether a sample with this label may be a neighbour.
    pub fn has(&self, label: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Labels(labels) => label.is_some_and(|label| labels.iter().any(|one| one == label)),
        }
    }
}
