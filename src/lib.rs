//! Lookalike: what does this file look like, and how sure are we?
//!
//! A file passes through `sample`, `reading`, `picture`, `model`, `library` and `search`. Calls run one way: `app` and `cli` use
//! `workflow`, `workflow` uses the rest, and only `app` knows egui.
#![cfg_attr(
    not(feature = "gui"),
    allow(
        dead_code,
        unused_imports,
        reason = "the window uses it; the build with the window finds dead code"
    )
)]

pub mod escape;
pub mod job;
pub mod numeric;
pub mod secret;
pub mod whole_file;

pub mod sample;
pub mod view;
// From here on a file is a picture, then an embedding.
pub mod batchnorm;
pub mod experiment;
pub mod export;
pub mod library;
pub mod model;
pub mod picture;
pub mod projection;
pub mod reading;
pub mod search;
pub mod training;
pub mod workflow;

#[cfg(feature = "gui")]
pub mod app;
pub mod cli;
