//! The regions of the window, through which F6 goes: the bar at the top, the side panels, what is between them, the status bar.

use super::keyboard::give_focus_to_next;
use egui::{Context, Key, Modifiers, Rect, Ui};

/// A region, in the order of F6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// Menus, search and library.
    Top,
    /// Files and labels.
    Left,
    /// The map, or what the tabs show instead.
    Middle,
    /// The answer.
    Right,
    /// The status bar.
    Status,
}

/// The regions that are drawn, and the one that gets the keyboard's focus in this frame.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    drawn: Vec<(Region, Rect)>,
    wanted: Option<Region>,
}

impl Regions {
    /// Begins a frame: F6 wants the region after the one that has the focus, Shift+F6 the one before.
    pub fn begin(&mut self, ctx: &Context) {
        let step = ctx.input_mut(|input| {
            let back = input.consume_key(Modifiers::SHIFT, Key::F6);
            let on = input.consume_key(Modifiers::NONE, Key::F6);
            if back { Some(-1) } else { on.then_some(1) }
        });
        let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
        let at = focused.map(|response| response.rect.center());
        let mut drawn = std::mem::take(&mut self.drawn);
        drawn.sort_by_key(|(region, _)| *region);
        self.wanted = step.and_then(|step| next(&drawn, at, step));
    }

    /// Notes that `region` is drawn into `ui` from here, and gives its first widget the focus if it is wanted.
    pub fn mark(&mut self, ui: &Ui, region: Region) {
        self.drawn.push((region, ui.max_rect()));
        if self.wanted == Some(region) {
            self.wanted = None;
            give_focus_to_next(ui.ctx());
        }
    }
}

/// The region `step` after the one that holds `at`; the middle if none does.
fn next(drawn: &[(Region, Rect)], at: Option<egui::Pos2>, step: isize) -> Option<Region> {
    let region = |i: usize| drawn.get(i).map(|(region, _)| *region);
    let here = at.and_then(|at| drawn.iter().position(|(_, rect)| rect.expand(8.0).contains(at)));
    let Some(here) = here else {
        return drawn
            .iter()
            .map(|(region, _)| *region)
            .find(|region| *region == Region::Middle)
            .or(region(0));
    };
    let n = drawn.len() as isize;
    region(usize::try_from((here as isize + step).rem_euclid(n.max(1))).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    #[test]
    fn f6_goes_around() {
        let rect = |x: f32| Rect::from_min_max(pos2(x, 0.0), pos2(x + 80.0, 50.0));
        let drawn = [(Region::Top, rect(0.0)), (Region::Middle, rect(100.0)), (Region::Status, rect(200.0))];
        let at = |x: f32| Some(pos2(x, 20.0));
        assert_eq!(next(&drawn, None, 1), Some(Region::Middle));
        assert_eq!(next(&drawn, at(20.0), 1), Some(Region::Middle));
        assert_eq!(next(&drawn, at(240.0), 1), Some(Region::Top));
        assert_eq!(next(&drawn, at(20.0), -1), Some(Region::Status));
        assert_eq!(next(&[], at(20.0), 1), None);
    }
}
