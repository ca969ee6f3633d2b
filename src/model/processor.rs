//! The processor that computes the network: the CPU, by our own kernels; or a GPU, by candle's operations
//! ([`super::candle_kernels`]), if the program was built for one (features `cuda` and `metal`) and one can be
//! used.
//!
//! Weights, statistics and the optimiser stay on the CPU: batches of pictures go to the GPU, and gradients,
//! statistics and embeddings come back. Sums on a GPU have no fixed order, so a training there is not
//! reproducible to the bit.

use candle_core::Device;
use std::sync::OnceLock;

/// The requested processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A GPU if one can be used, otherwise the CPU.
    #[default]
    Best,
    /// The CPU.
    Cpu,
    /// A GPU.
    Gpu,
}

/// The processor in use.
#[derive(Clone, Debug)]
pub struct Processor {
    /// Its device in candle.
    pub device: Device,
    /// Its name, as shown to the user.
    pub name: &'static str,
    /// Why it is not the requested GPU: what was expected and what was found.
    pub fallback_reason: Option<String>,
}

static PREFERRED: OnceLock<Choice> = OnceLock::new();
static FOUND: OnceLock<Processor> = OnceLock::new();

impl Processor {
    /// Requests a processor. Only the first call before the first computation has an effect.
    pub fn prefer(choice: Choice) {
        PREFERRED.get_or_init(|| choice);
    }

    /// The processor in use. The first call looks for a GPU, which takes a moment.
    pub fn get() -> &'static Self {
        FOUND.get_or_init(|| Self::find(PREFERRED.get().copied().unwrap_or_default()))
    }

    /// The processor in use, if anything was computed yet.
    pub fn found() -> Option<&'static Self> {
        FOUND.get()
    }

    fn find(choice: Choice) -> Self {
        let cpu = |fallback_reason| Self { device: Device::Cpu, name: "CPU", fallback_reason };
        if choice == Choice::Cpu {
            return cpu(None);
        }
        match gpu() {
            Ok((device, name)) => Self { device, name, fallback_reason: None },
            Err(why) => {
                // A program built for a GPU reports in any case that none can be used.
                let report = choice == Choice::Gpu || cfg!(any(feature = "cuda", feature = "metal"));
                cpu(report.then_some(why))
            }
        }
    }
}

#[cfg(feature = "cuda")]
fn gpu() -> Result<(Device, &'static str), String> {
    // A driver of another version may panic instead of returning an error.
    let device = std::panic::catch_unwind(|| Device::new_cuda(0));
    let device =
        device.map_err(|why| crate::job::panic_text(&*why).to_owned())?.map_err(|why| why.to_string());
    device.map(|device| (device, "GPU (CUDA)")).map_err(|why| {
        format!("expected a GPU that CUDA can use, found: {why}. Install NVIDIA's driver, or choose the CPU")
    })
}

#[cfg(all(feature = "metal", not(feature = "cuda")))]
fn gpu() -> Result<(Device, &'static str), String> {
    Device::new_metal(0)
        .map(|device| (device, "GPU (Metal)"))
        .map_err(|why| format!("expected a GPU that Metal can use, found: {why}. Choose the CPU"))
}

#[cfg(not(any(feature = "cuda", feature = "metal")))]
fn gpu() -> Result<(Device, &'static str), String> {
    Err("expected a GPU, found a program built without support for one. Build it with the feature `cuda` or, on a \
         Mac, `metal`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_cannot_be_used_is_replaced_and_the_reason_reported() {
        assert!(Processor::find(Choice::Cpu).fallback_reason.is_none());
        let found = Processor::find(Choice::Gpu);
        // With a GPU, and in a program built for it, it is the GPU.
        assert_eq!(found.device.is_cpu(), found.fallback_reason.is_some());
        assert_eq!(found.device.is_cpu(), found.name == "CPU");
    }
}
