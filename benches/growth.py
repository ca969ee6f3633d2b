"""How the time of each row grows with its size, as one SVG of small plots: both axes logarithmic, ours solid orange,
the peer's dashed blue."""
import math, re

WIDE, HIGH, LEFT, TOP, COLUMNS = 230, 150, 46, 34, 4


def text(x, y, words, size=10, anchor="middle", colour="#444"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def short(v):
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if v >= unit:
            return f"{v / unit:g}{name}"
    return f"{v:.3g}"


def plot(x0, y0, name, rows):
    # A long number in a name is the size in the table.
    title = re.sub(r"-\d{4,}$", "", name)
    out = [text(x0 + (LEFT + WIDE) / 2, y0 + 16, title, 12, colour="#111")]
    values = [v for r in rows for v in (r["ours_ms"], r.get("peer_ms")) if v]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    high = max(high, low + 1)
    first, last = math.log(rows[0]["size"]), math.log(rows[-1]["size"])
    x = lambda size: x0 + LEFT + (WIDE - LEFT - 14) * (math.log(size) - first) / (last - first)
    y = lambda ms: y0 + TOP + (HIGH - TOP - 24) * (high - math.log10(ms)) / (high - low)
    unit = "MB" if name == "memory" else "ms"
    for power in range(low, high + 1):
        at = y(10**power)
        out.append(f'<line x1="{x0 + LEFT - 6}" x2="{x0 + WIDE - 6}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        out.append(text(x0 + LEFT - 9, at + 3, short(10**power) + (f" {unit}" if power == high else ""), 9, "end"))
    for row in rows:
        out.append(text(x(row["size"]), y0 + HIGH - 6, short(row["size"]), 9))
    for key, colour, dash in (("peer_ms", "#2f7fc4", "5 3"), ("ours_ms", "#d55e00", "none")):
        points = [(x(r["size"]), y(r[key])) for r in rows if r.get(key)]
        if points:
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
            out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="{colour}"/>' for a, b in points]
    return out


def draw(growth):
    lines = -(-len(growth) // COLUMNS)
    width, height = COLUMNS * WIDE + 20, lines * (HIGH + 14) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           text(10, 18, "ours: solid orange; peer: dashed blue; both axes logarithmic", 11, "start")]
    for i, (name, rows) in enumerate(growth.items()):
        out += plot(10 + i % COLUMNS * WIDE, 26 + i // COLUMNS * (HIGH + 14), name, rows)
    return "\n".join([*out, "</svg>"]) + "\n"
