"""Cuts the fonts of the window: Inter to Latin, Greek and Cyrillic with figures of equal width, Phosphor to the icons used.

Needs fonttools and brotli, and in the working folder what these packages of npm unpack to:

    inter-ui 4.1.1               package/variable/InterVariable.woff2   (SIL Open Font License 1.1)
    @phosphor-icons/web 2.1.2    package/src/regular/Phosphor.ttf, selection.json   (MIT)

Writes Inter.ttf and Phosphor.ttf, and prints the code point of each icon for src/app/theme/icon.rs.
"""

import json
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from fontTools import subset
f = TTFont('package/variable/InterVariable.woff2')
f.flavor = None
f = instancer.instantiateVariableFont(f, {'opsz': 14, 'wght': (400, 400, 600)})
# Tabular figures as the default: egui selects no OpenType features.
gsub = f['GSUB'].table
lookups = set()
for rec in gsub.FeatureList.FeatureRecord:
    if rec.FeatureTag == 'tnum':
        lookups.update(rec.Feature.LookupListIndex)
sub = {}
for i in lookups:
    for st in gsub.LookupList.Lookup[i].SubTable:
        st = getattr(st, 'ExtSubTable', st)
        sub.update(getattr(st, 'mapping', {}))
for t in f['cmap'].tables:
    for cp in list(t.cmap):
        if chr(cp) in '0123456789' and t.cmap[cp] in sub:
            t.cmap[cp] = sub[t.cmap[cp]]
f.save('Inter.ttf')
f = TTFont('Inter.ttf', lazy=False)
o = subset.Options(); o.layout_features = ['kern', 'mark', 'mkmk', 'ccmp', 'locl']; o.hinting = False; o.desubroutinize = True
o.name_IDs = [0,1,2,3,4,5,6,13,14]; o.notdef_outline = True; o.glyph_names = False
cps = list(range(0x20,0x7f))+list(range(0xa0,0x250))+list(range(0x370,0x400))+list(range(0x400,0x530))+list(range(0x1e00,0x1f00))+\
  list(range(0x2010,0x2028))+[0x2030,0x2032,0x2033,0x2039,0x203a,0x2044,0x20ac,0x2116,0x2122,0x2190,0x2191,0x2192,0x2193,0x2194,0x2212,0x221e,0x2248,0x2260,0x2264,0x2265,0x2022,0x2026,0x2070,0x2074,0x2075,0x2076,0x2077,0x2078,0x2079,0x207a,0x207b,0x207f]
s = subset.Subsetter(o); s.populate(unicodes=cps); s.subset(f)
f.save('Inter.ttf')
want = '''files magnifying-glass folder-open play flask tray-arrow-down copy export tag caret-right caret-down caret-left x arrow-up arrow-down funnel lock-simple cpu bell database sidebar-simple corners-out dots-three check-circle info warning warning-circle gear question keyboard clock-counter-clockwise arrow-counter-clockwise arrow-clockwise trash pencil-simple plus minus list stop chart-line check sort-ascending arrow-square-out eye floppy-disk hash image key package file folder house arrow-right arrow-left graph map-trifold eye-slash sun moon circle-half arrows-merge'''.split()
sel = json.load(open('package/src/regular/selection.json'))
codes = {}
for ic in sel['icons']:
    for n in ic['properties']['name'].split(','):
        codes[n.strip()] = ic['properties']['code']
miss = [w for w in want if w not in codes]; print('missing', miss)
p = TTFont('package/src/regular/Phosphor.ttf')
o = subset.Options(); o.layout_features = []; o.hinting=False; o.glyph_names=False; o.notdef_outline=True; o.name_IDs=[0,1,2,3,4,5,6,13,14]
s = subset.Subsetter(o); s.populate(unicodes=[codes[w] for w in want if w in codes]); s.subset(p); p.save('Phosphor.ttf')
for w in want:
    if w in codes: print(f'{w} {codes[w]:04x}')
