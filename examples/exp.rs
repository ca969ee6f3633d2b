use lookalike::job::Reporter;
use lookalike::model::{Norm, embed};
use lookalike::sample::Layout;
use lookalike::search::nearest;
use lookalike::training::{TrainConfig, train};
use lookalike::workflow::read;
use std::collections::HashMap;
use std::path::PathBuf;
fn main() {
    let q = Reporter::silent();
    let root = PathBuf::from("/tmp/corpora/twenty");
    let t = read(&[root.join("train")], Layout::Labelled, None, &q).unwrap_or_else(|_| panic!());
    let u = read(&[root.join("query")], Layout::Labelled, Some(t.set.spec), &q).unwrap_or_else(|_| panic!());
    let man = std::fs::read_to_string(root.join("manifest.csv")).unwrap();
    let mut stem = HashMap::new();
    for l in man.lines().skip(1) {
        let f: Vec<&str> = l.split(',').collect();
        let m = f[3].rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
        stem.insert(f[5].to_owned(), m);
    }
    let seeds: Vec<u64> =
        std::env::var("SEEDS").unwrap_or("0,1,2".into()).split(',').map(|s| s.parse().unwrap()).collect();
    let mut sums = [0.0; 3];
    for s in &seeds {
        let b = std::time::Instant::now();
        let mut c = TrainConfig { seed: *s, ..TrainConfig::default() };
        if let Ok(l) = std::env::var("LR") {
            c.learning_rate = l.parse().unwrap();
        }
        if let Ok(l) = std::env::var("EPOCHS") {
            c.epochs = Some(l.parse().unwrap());
        }
        if std::env::var("NONE").is_ok() {
            c.norm = Norm::None;
        }
        let m = train(&t.set, &c, &q, |_| ()).unwrap_or_else(|_| panic!()).model;
        let secs = b.elapsed().as_secs_f64();
        use lookalike::picture::{Encoded, View, SEGMENTS};
        let views = [View::Whole, View::Crop{start:0.0,length:0.7}, View::Crop{start:0.3,length:0.7}, View::Crop{start:0.15,length:0.7}];
        let unit = |v: &mut [f32]| { let n = v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9); v.iter_mut().for_each(|x| *x /= n); };
        let e = |set: &lookalike::picture::PictureSet, views: &[View]| {
            let mut out = vec![0.0f32; set.pictures.len() * 64];
            for (c, chunk) in set.pictures.chunks(64).enumerate() { for v in views {
                let b: Vec<_> = chunk.iter().map(|p| (p, *v)).collect();
                let f = m.network.forward(&lookalike::model::picture_batch(&b, set.spec).unwrap(), lookalike::model::Mode::Eval, false).unwrap();
                for (o, x) in out[c*64*64..].iter_mut().zip(f.embeddings.flatten_all().unwrap().to_vec1::<f32>().unwrap()) { *o += x; }
            } }
            out.chunks_mut(64).for_each(|r| unit(r)); out };
        let h = |set: &lookalike::picture::PictureSet| -> Vec<Vec<f32>> { set.pictures.iter().map(|p| { let Encoded::Bytes(b) = p else { panic!() }; let mut l = vec![0.0f32; 4096]; b.pair_levels(&[1.0; SEGMENTS], &mut l); l }).collect() };
        let (mut ha, mut hb) = (h(&t.set), h(&u.set));
        let mean: Vec<f32> = (0..4096).map(|k| ha.iter().map(|r| r[k]).sum::<f32>() / ha.len() as f32).collect();
        for r in ha.iter_mut().chain(hb.iter_mut()) { r.iter_mut().zip(&mean).for_each(|(x, m)| *x -= m); unit(r); }
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let x = &m.config.training.result;
        println!("seed {s} {secs:.0}s loss {:.3} tm {:.3} rec {:?}", x.loss, x.train_mode_accuracy, x.recall_at_1);
        for (name, vs) in [("whole", &views[..1]), ("tta", &views[..])] {
          let (a, bb) = (e(&t.set, vs), e(&u.set, vs));
          for w in [1.0f32, 0.7, 0.5, 0.3] { let mut r = [0.0; 3];
            for (i, qs) in u.set.samples.iter().enumerate() {
              let mut f: Vec<(f32, usize)> = (0..t.set.samples.len()).map(|j| (w * dot(&bb[i*64..i*64+64], &a[j*64..j*64+64]) + (1.0 - w) * dot(&hb[i], &ha[j]), j)).collect();
              f.sort_by(|a, b| b.0.total_cmp(&a.0));
              let lab = |j: usize| t.set.samples[j].label == qs.label; let st = |h: &str| stem[h].clone();
              if lab(f[0].1) { r[0] += 1.0; } let own = st(&qs.sha256.to_string());
              let o: Vec<_> = f.iter().filter(|n| st(&t.set.samples[n.1].sha256.to_string()) != own).take(5).collect();
              if lab(o[0].1) { r[1] += 1.0; } if o.iter().any(|n| lab(n.1)) { r[2] += 1.0; } }
            println!("   {name} w {w}: all {:.3} other {:.3} o5 {:.3}", r[0]/108.0, r[1]/108.0, r[2]/108.0); } }
    }
    let _ = &mut sums;
    println!("MEAN all {:.3} other {:.3} o5 {:.3}", sums[0], sums[1], sums[2]);
}
