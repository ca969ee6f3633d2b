//! The index that finds what is near: a graph of vectors (HNSW: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor
//! search using Hierarchical Navigable Small World graphs", 2018), kept by the server's pgvector. There is one for a model: of its
//! embeddings, or of the candidate vectors if it has views.

use crate::library::contents::calibration;
use crate::model::Model;
use crate::search::{CANDIDATE, Candidates};
use postgres::{Client, GenericClient};

/// The most numbers of a vector in an index of pgvector, at full and at half precision.
const MOST: usize = 2000;
const MOST_HALF: usize = 4000;

/// Neighbours of a node in the graph, and how many are considered for that. With pgvector's own, 16 and 64, of vectors that are nearly
/// alike 0.90 of the ten nearest are found, and of copies of few vectors 0.83; with these, 0.99 and all.
const NEIGHBOURS: usize = 24;
const CONSIDERED: usize = 128;

/// The index of a model, which may be there or not.
pub struct NearIndex {
    /// The row id of the model.
    pub model: i64,
    dimension: usize,
    /// What makes the vectors, if they are not the embeddings.
    pub candidates: Option<Candidates>,
}

impl NearIndex {
    /// That of the model with this row id; `None` if its vectors have too many numbers for one.
    pub fn of(id: i64, model: &Model) -> Option<Self> {
        let candidates = calibration(model, None).and_then(|_| Candidates::of(&model.config));
        let dimension = candidates.as_ref().map_or(model.config.embedding, Candidates::dimension);
        (dimension <= MOST_HALF).then_some(Self { model: id, dimension, candidates })
    }

    /// Its name, which says what it is of.
    pub fn name(&self) -> String {
        match self.candidates {
            Some(_) => format!("near_{}_candidates_{CANDIDATE}", self.model),
            None => format!("near_{}_embeddings", self.model),
        }
    }

    /// The table, the rows of it and the vector that are indexed. A query that names them in these words can use the index.
    pub fn table(&self) -> &'static str {
        if self.candidates.is_some() { "lookalike.candidates" } else { "lookalike.looks" }
    }

    /// The rows, of a table with this name or alias in front of its columns.
    pub fn rows(&self, table: &str) -> String {
        let model = self.model;
        match self.candidates {
            Some(_) => format!("{table}model = {model} AND {table}version = {CANDIDATE}"),
            None => format!("{table}model = {model}"),
        }
    }

    /// The vector, likewise.
    pub fn vector(&self, table: &str) -> String {
        let column = if self.candidates.is_some() { "vector" } else { "embedding" };
        format!("({table}{column}::{})", self.kind())
    }

    /// The numbers of its vectors.
    #[cfg(test)]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The type of the vector.
    pub fn kind(&self) -> String {
        format!("{}({})", self.precision(), self.dimension)
    }

    fn precision(&self) -> &'static str {
        if self.candidates.is_some() || self.dimension > MOST { "halfvec" } else { "vector" }
    }

    /// Makes it while others use the tables.
    pub fn creation(&self) -> String {
        format!(
            "CREATE INDEX CONCURRENTLY {} ON {} USING hnsw ({} {}_ip_ops)
             WITH (m = {NEIGHBOURS}, ef_construction = {CONSIDERED}) WHERE {}",
            self.name(),
            self.table(),
            self.vector(""),
            self.precision(),
            self.rows("")
        )
    }

    /// Bytes that its graph takes in memory while it is made of this many vectors.
    pub fn memory(&self, samples: usize) -> usize {
        /// A node with its neighbours on all levels.
        const NODE: usize = 1200;
        let number = if self.precision() == "halfvec" { 2 } else { 4 };
        samples.saturating_mul(self.dimension * number + NODE)
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
