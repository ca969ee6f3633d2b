//! The index that finds what is near: a graph of vectors (HNSW: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor
//! search using Hierarchical Navigable Small World graphs", 2018), kept by the server's pgvector. There is one for a model, of the
//! candidate vectors of its samples.

use crate::model::Model;
use crate::search::{CANDIDATE, Candidates};
use postgres::{Client, GenericClient};

/// The most numbers of a vector in an index of pgvector, at half precision.
const MOST: usize = 4000;

/// Neighbours of a node in the graph, and how many are considered for that. With pgvector's own, 16 and 64, of vectors that are nearly
/// alike 0.90 of the ten nearest are found, and of copies of few vectors 0.83; with these, 0.99 and all.
const NEIGHBOURS: usize = 24;
const CONSIDERED: usize = 128;

/// The index of a model, which may be there or not.
pub struct NearIndex {
    /// The row id of the model.
    pub model: i64,
    /// What makes the vectors.
    pub candidates: Candidates,
}

impl NearIndex {
    /// That of the model with this row id; `None` if its vectors have too many numbers for one.
    pub fn of(id: i64, model: &Model) -> Option<Self> {
        let candidates = Candidates::of(&model.config, model.views.is_some());
        (candidates.dimension() <= MOST).then_some(Self { model: id, candidates })
    }

    /// Its name, which says what it is of.
    pub fn name(&self) -> String {
        format!("near_{}_{CANDIDATE}", self.model)
    }

    /// The rows of `lookalike.candidates` that it is of, with this alias in front of their columns. A query that names them and the vector
    /// in these words can use the index.
    pub fn rows(&self, alias: &str) -> String {
        format!("{alias}model = {} AND {alias}version = {CANDIDATE}", self.model)
    }

    /// The vector, likewise.
    pub fn vector(&self, alias: &str) -> String {
        format!("({alias}vector::{})", self.kind())
    }

    /// The type of the vector.
    pub fn kind(&self) -> String {
        format!("halfvec({})", self.candidates.dimension())
    }

    /// Makes it while others use the tables.
    pub fn creation(&self) -> String {
        format!(
            "CREATE INDEX CONCURRENTLY {} ON lookalike.candidates USING hnsw ({} halfvec_ip_ops)
             WITH (m = {NEIGHBOURS}, ef_construction = {CONSIDERED}) WHERE {}",
            self.name(),
            self.vector(""),
            self.rows("")
        )
    }

    /// Bytes that its graph takes in memory while it is made of this many vectors.
    pub fn memory(&self, samples: usize) -> usize {
        /// A node with its neighbours on all levels.
        const NODE: usize = 1200;
        samples.saturating_mul(self.candidates.dimension() * size_of::<half::f16>() + NODE)
    }

    /// Whether it is there and whole.
    pub fn is_ready(&self, client: &mut Client) -> Result<bool, postgres::Error> {
        Ok(indexes(client)?.contains(&(self.name(), true)))
    }

    /// The names of indexes of this model that can no longer be used: of another version, or not whole.
    pub fn outdated(&self, client: &mut Client) -> Result<Vec<String>, postgres::Error> {
        let of_model = format!("near_{}_", self.model);
        let mut found = indexes(client)?;
        found.retain(|(name, whole)| name.starts_with(&of_model) && !(*whole && *name == self.name()));
        Ok(found.into_iter().map(|(name, _)| name).collect())
    }
}

/// The indexes of all models, and whether each is whole.
fn indexes(client: &mut impl GenericClient) -> Result<Vec<(String, bool)>, postgres::Error> {
    let rows = client.query(
        "SELECT c.relname::text, i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relnamespace = to_regnamespace('lookalike') AND c.relname LIKE 'near\\_%'",
        &[],
    )?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
