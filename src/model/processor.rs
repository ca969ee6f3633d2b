//! The processor that computes the network: this computer's cores, by our own kernels; or a GPU, by candle's
//! operations ([`super::by_candle`]), where the program was built for one (features `cuda` and `metal`) and
//! one can be used.
//!
//! Weights, statistics and the optimiser stay where they are: batches of pictures go to the GPU, and
//! gradients, statistics and embeddings come back. Sums there have no fixed order, so that a training on a
//! GPU is not the same to the bit when it is done again.

use candle_core::Device;
use std::sync::OnceLock;

/// Which processor is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A GPU where there is one that can be used, and else the cores.
    #[default]
    Best,
    /// The cores.
    Cpu,
    /// A GPU.
    Gpu,
}

/// Where the network is computed.
#[derive(Clone, Debug)]
pub struct Processor {
    /// For candle.
    pub device: Device,
    /// Its name, for people.
    pub name: &'static str,
    /// Why it is not the GPU that was wanted: what was expected and what was found.
    pub instead: Option<String>,
}

static PREFERRED: OnceLock<Choice> = OnceLock::new();
static FOUND: OnceLock<Processor> = OnceLock::new();

impl Processor {
    /// Says which one is wanted, before anything is computed: the first word stands.
    pub fn prefer(choice: Choice) {
        PREFERRED.get_or_init(|| choice);
    }

    /// The one that this program uses. To find a GPU takes a moment, the first time.
    pub fn get() -> &'static Self {
        FOUND.get_or_init(|| Self::find(PREFERRED.get().copied().unwrap_or_default()))
    }

    /// The same, if anything was computed yet.
    pub fn found() -> Option<&'static Self> {
        FOUND.get()
    }

    fn find(choice: Choice) -> Self {
        let cores = |instead| Self { device: Device::Cpu, name: "CPU", instead };
        if choice == Choice::Cpu {
            return cores(None);
        }
        match gpu() {
            Ok((device, name)) => Self { device, name, instead: None },
            Err(why) => {
                // One that the program was built for and cannot be used is worth a word in any case.
                let wanted = choice == Choice::Gpu || cfg!(any(feature = "cuda", feature = "metal"));
                cores(wanted.then_some(why))
            }
        }
    }
}

#[cfg(feature = "cuda")]
fn gpu() -> Result<(Device, &'static str), String> {
    // What a driver that does not fit does is not always an error.
    let device = std::panic::catch_unwind(|| Device::new_cuda(0));
    let device =
        device.map_err(|why| crate::job::panic_text(&*why).to_owned())?.map_err(|why| why.to_string());
    device.map(|device| (device, "GPU (CUDA)")).map_err(|why| {
        format!("expected a GPU that CUDA can use, found: {why}. Install NVIDIA's driver, or ask for the CPU")
    })
}

#[cfg(all(feature = "metal", not(feature = "cuda")))]
fn gpu() -> Result<(Device, &'static str), String> {
    Device::new_metal(0)
        .map(|device| (device, "GPU (Metal)"))
        .map_err(|why| format!("expected a GPU that Metal can use, found: {why}. Ask for the CPU"))
}

#[cfg(not(any(feature = "cuda", feature = "metal")))]
fn gpu() -> Result<(Device, &'static str), String> {
    Err("expected a GPU, found that this program was built without support for one. Build it with \
         `--features cuda` or, on a Mac, `--features metal`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_cannot_be_had_is_replaced_and_that_is_said() {
        assert!(Processor::find(Choice::Cpu).instead.is_none());
        let found = Processor::find(Choice::Gpu);
        // On a machine with a GPU, of a program that was built for it, it is that.
        assert_eq!(found.device.is_cpu(), found.instead.is_some());
        assert_eq!(found.device.is_cpu(), found.name == "CPU");
    }
}
