//! An excerpt: contents of a large library that give the same answers to a few queries as all of it.
//!
//! The nearest samples of each query are found first. Those are then read whole, with the ones that the label fit is learned from. A
//! search among them finds what a search among all finds.

use super::contents::{Contents, calibration};
use super::partly_read::{Found, Part, PartlyRead};
use super::search::Search;
use crate::job::{Reporter, Stop};
use crate::sample::Sha256;
use crate::search::{LabelFit, Looks, PREPARED, choose};
use std::collections::BTreeMap;

/// An excerpt, and how far it can be trusted.
pub struct Excerpt {
    /// The samples.
    pub contents: Contents,
    /// Whether nearer ones may have been missed.
    pub approximate: bool,
}

impl dyn PartlyRead + '_ {
    /// Contents that give the same answers to a search as all of the library, for neighbours and for verdicts: the nearest samples,
    /// those with the hashes `own`, and those that the label fit is learned from. They have no map, and do not know how many samples
    /// the model has not embedded. `None` if the library must be read whole: something in it is damaged or missing, or it is
    /// small after all.
    pub fn excerpt(
        &self,
        search: &Search<'_>,
        own: &[Sha256],
        reporter: &Reporter,
    ) -> Result<Option<Excerpt>, Stop> {
        let mut found = Found::new();
        let Some(fit) = self.label_fit(&mut found)? else { return Ok(None) };
        let learned: Vec<i64> = found.keys().copied().collect();
        let near = self.nearest(search, calibration(self.model(), fit.as_ref()), reporter)?;
        let Some(near) = near else { return Ok(None) };
        // In a library that is not larger, what labels say is compared for all samples and not for the nearest alone.
        if near.count <= PREPARED {
            return Ok(None);
        }
        let Some(own) = self.ids(own)? else { return Ok(None) };
        if self.read(&near.ids, &mut found)?.is_none() || self.read(&own, &mut found)?.is_none() {
            return Ok(None);
        }
        let rows: BTreeMap<i64, usize> = found.keys().copied().zip(0..).collect();
        let row = |of_learned: usize| learned.get(of_learned).and_then(|id| rows.get(id)).copied();
        let fit = fit.map(|fit| fit.renumbered(row));
        Ok(Some(Excerpt { contents: self.contents(found, 0, fit), approximate: near.approximate }))
    }

    /// What the labels of the library say about its views, learned from rows that are added to `found`, which it numbers in their
    /// order.
    fn label_fit(&self, found: &mut Found) -> Part<Option<LabelFit>> {
        if calibration(self.model(), None).is_none() {
            return Ok(Some(None));
        }
        let Some(classes) = self.labelled()? else { return Ok(None) };
        let images = self.model().views.as_ref().is_some_and(|views| views.see_images());
        let fit = if images { self.learned(&classes, true, found)? } else { Some(None) };
        match fit {
            Some(None) => self.learned(&classes, false, found),
            fit => Ok(fit),
        }
    }

    /// The same from some of these ids by label, `images` or other files.
    fn learned(&self, classes: &[Vec<i64>], images: bool, found: &mut Found) -> Part<Option<LabelFit>> {
        let chosen = choose(classes, images);
        if self.read(&chosen.concat(), found)?.is_none() {
            return Ok(None);
        }
        let mut looks = Looks::new(self.model().config.embedding);
        found.values().for_each(|row| looks.push(&row.look));
        let rows: BTreeMap<i64, usize> = found.keys().copied().zip(0..).collect();
        let numbered = |ids: &Vec<i64>| ids.iter().filter_map(|id| rows.get(id).copied()).collect();
        Ok(Some(LabelFit::of(&looks, chosen.iter().map(numbered).collect(), images)))
    }
}
