"""What evaluate.py --peers compares with: TLSH, ssdeep, and byte pairs. They know nothing but two files.

    TLSH        its distance (py-tlsh)
    ssdeep      100 minus its score; no answer where it is 0 (the program ssdeep)
    byte pairs  1 minus the cosine of the roots of the frequencies of all 65,536 pairs
"""
import csv, shutil, subprocess, sys

try:
    import numpy, tlsh
except ImportError as missing:
    sys.exit(f"--peers: {missing}. Install what stands in assets/base/requirements.txt")

NAMES = ["TLSH", "ssdeep", "byte pairs"]


def roots(content):
    pairs = numpy.frombuffer(content, numpy.uint8).astype(numpy.uint16)
    counts = numpy.bincount(pairs[:-1] << 8 | pairs[1:], minlength=1 << 16)
    return numpy.sqrt(counts / max(1, counts.sum())).astype(numpy.float32)


class Peers:
    """The files of one folder as the peers know them."""

    def __init__(self, scratch, folder):
        if not shutil.which("ssdeep"):
            sys.exit("--peers: the program ssdeep is missing. Install Debian's package ssdeep")
        self.scratch = scratch
        self.known = sorted(path for path in (scratch / folder).rglob("*") if path.is_file())
        contents = (path.read_bytes() for path in self.known)
        both = [(tlsh.hash(content), roots(content)) for content in contents]
        self.tlsh = [digest for digest, _ in both]
        self.pairs = numpy.stack([pairs for _, pairs in both])
        self.signatures = scratch / f"{folder}.ssdeep"
        self.signatures.write_text(self.ssdeep("-r", folder))

    def ssdeep(self, *arguments):
        done = subprocess.run(["ssdeep", "-l", "-c", *arguments], cwd=self.scratch, capture_output=True, text=True)
        return done.stdout

    def distances(self, folder):
        """For each file below `folder`, the distances of each known file by peer."""
        scores = {}
        for query, known, score in csv.reader(self.ssdeep("-m", self.signatures.name, "-r", folder).splitlines()):
            scores[str(self.scratch / query), str(self.scratch / known)] = int(score)
        found = {}
        for path in sorted(path for path in (self.scratch / folder).rglob("*") if path.is_file()):
            content = path.read_bytes()
            digest, cosines = tlsh.hash(content), self.pairs @ roots(content)
            found[str(path)] = {
                str(known): {
                    "TLSH": None if "TNULL" in (digest, other) else tlsh.diff(digest, other),
                    "ssdeep": 100 - scores[str(path), str(known)] if (str(path), str(known)) in scores else None,
                    "byte pairs": 1 - float(cosine),
                }
                for known, other, cosine in zip(self.known, self.tlsh, cosines)
            }
        return found
