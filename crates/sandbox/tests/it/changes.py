# Every call that changes names or attributes, with odd arguments; prints what each said and what stands there afterwards.
# Arguments: a folder to work in.
import ctypes, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
AT, EMPTY, NOFOLLOW, FOLLOW = -100, 0x1000, 0x100, 0x400


def call(number, *arguments):
    whole = [a.encode() if isinstance(a, str) else ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 31 else a for a in arguments]
    result = libc.syscall(number, *whole)
    return 0 if result >= 0 else ctypes.get_errno()


def state(folder=".", depth=0):
    lines = []
    if depth == 0:
        # Attempts on `.` take away what is needed to look.
        os.chmod(os.path.dirname(WORK[-1]), 0o755)
        os.chmod(WORK[-1], 0o755)
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        meta = os.lstat(path)
        what = os.readlink(path) if os.path.islink(path) else ""
        size = 0 if os.path.isdir(path) else meta.st_size
        times = [t if t < 10**12 else "now" for t in (meta.st_atime_ns, meta.st_mtime_ns)] if meta.st_mtime < 1000 else []
        attributes = os.listxattr(path, follow_symlinks=False) if not os.path.islink(path) else []
        lines.append((path, oct(meta.st_mode), meta.st_nlink if not os.path.isdir(path) else 0, size, what, times, attributes))
        if os.path.isdir(path) and not os.path.islink(path) and depth < 4:
            try:
                lines += state(path, depth + 1)
            except OSError as problem:
                lines.append((path, problem.errno))
    return lines


WORK = []


def fresh(folder):
    os.umask(0)
    os.mkdir(folder)
    os.chdir(folder)
    WORK.append(os.getcwd())
    for name in ("file", "other"):
        with open(name, "w") as file:
            file.write(name)
    os.chmod("file", 0o644)
    os.mkdir("folder", 0o755)
    os.mkdir("empty", 0o755)
    with open("folder/inner", "w") as file:
        file.write("inner")
    os.symlink("file", "link")
    os.symlink("folder", "folderlink")
    os.symlink("nowhere", "dangling")
    os.symlink("loop", "loop")
    for name in ("file", "other", "folder/inner"):
        os.chmod(name, 0o644)


PATHS = ["file", "new", "folder", "empty", "link", "folderlink", "dangling", "loop", "missing/new", "file/new", "folder/", "file/", "new/", "link/",
         "folderlink/", "dangling/", "folder/inner", "folder/.", "folder/..", ".", "..", "/", "//", "", "./new", "folder/../new", "folderlink/inner",
         "folderlink/new", "a" * 256, "a/" * 2100, "/proc/self/cwd/new", "/proc/self/cwd/file", "/usr/new", "/proc/self/status", "/dev/null", "/nonesuch/x"]
TIMES = ctypes.create_string_buffer(struct.pack("qqqq", 5, 6, 7, 8))
OMIT = ctypes.create_string_buffer(struct.pack("qqqq", 0, (1 << 30) - 2, 0, (1 << 30) - 2))
ONE = ctypes.create_string_buffer(struct.pack("qqqq", 5, 6, 0, (1 << 30) - 2))
BAD = ctypes.create_string_buffer(struct.pack("qqqq", 5, 2_000_000_000, 7, 8))


def cases():
    for path in PATHS:
        yield "mkdir", (83, path, 0o1777)
        yield "mkdirat", (258, AT, path, 0o7750)
        yield "rmdir", (84, path)
        yield "unlink", (87, path)
        for flags in (0, 0x200, 1, 0x1200):
            yield "unlinkat", (263, AT, path, flags)
        yield "symlink", (88, "text", path)
        yield "symlinkat", (266, "", AT, path)
        yield "mknod", (133, path, 0o100640, 0)
        yield "mknodat", (259, AT, path, 0o640, 0)
        yield "mknod device", (133, path, 0o020640, 0x103)
        yield "mknod folder", (133, path, 0o040640, 0)
        yield "truncate", (76, path, 3)
        yield "truncate", (76, path, -1)
        yield "truncate", (76, path, 1 << 60)
        yield "chmod", (90, path, 0o640)
        yield "fchmodat", (268, AT, path, 0o640)
        for flags in (0, NOFOLLOW, EMPTY, 1):
            yield "fchmodat2", (452, AT, path, 0o640, flags)
            yield "fchownat", (260, AT, path, os.getuid(), -1, flags)
            yield "utimensat", (280, AT, path, TIMES, flags)
        yield "chown", (92, path, -1, os.getgid())
        yield "lchown", (94, path, os.getuid(), os.getgid())
        yield "chown to another", (92, path, 4711, -1)
        yield "utime", (132, path, TIMES)
        yield "utimes", (235, path, TIMES)
        yield "utimes", (235, path, BAD)
        yield "futimesat", (261, AT, path, TIMES)
        for times in (None, OMIT, ONE, BAD):
            yield "utimensat", (280, AT, path, times, 0)
        for number in (188, 189):
            yield "setxattr", (number, path, "user.one", b"value", 5, 0)
            yield "setxattr replace", (number, path, "user.one", b"value", 5, 2)
            yield "setxattr other", (number, path, "nonesuch", b"value", 5, 0)
            yield "setxattr flags", (number, path, "user.one", b"value", 5, 8)
        for number in (197, 198):
            yield "removexattr", (number, path, "user.none")
        for other in ("new", "file", "other", "empty", "folder", "folder/new", "link", "missing/x", "new/", "empty/", "file/", "..", "folder/inner/x"):
            yield "rename", (82, path, other)
            yield "link", (86, path, other)
            yield "renameat", (264, AT, path, AT, other)
            for flags in (1, 2, 3, 8):
                yield "renameat2", (316, AT, path, AT, other, flags)
            for flags in (FOLLOW, EMPTY, 2):
                yield "linkat", (265, AT, path, AT, other, flags)
    for number, rest in ((83, (0o700,)), (84, ()), (87, ()), (82, ("x",)), (90, (0o600,)), (76, (0,)), (188, ("user.x", b"v", 1, 0))):
        yield "fault", (number, 1 << 40, *rest)
        yield "null", (number, None, *rest)
    yield "long attribute", (188, "file", "user." + "x" * 300, b"v", 1, 0)
    yield "empty attribute", (188, "file", "", b"v", 1, 0)
    yield "large attribute", (188, "file", "user.x", b"v" * 70000, 70000, 0)
    yield "null attribute", (188, "file", "user.x", None, 0, 0)


def descriptors():
    for name, flags in (("read", os.O_RDONLY), ("write", os.O_WRONLY), ("name", os.O_PATH)):
        def at(number, *rest, flags=flags):
            fd = os.open("file", flags)
            try:
                return call(number, fd, *rest)
            finally:
                os.close(fd)
        yield name + " fchmod", lambda at=at: at(91, 0o640)
        yield name + " fchown", lambda at=at: at(93, os.getuid(), -1)
        yield name + " futimens", lambda at=at: at(280, None, TIMES, 0)
        yield name + " futimens flags", lambda at=at: at(280, None, TIMES, EMPTY)
        yield name + " futimesat", lambda at=at: at(261, None, TIMES)
        yield name + " utimensat empty", lambda at=at: at(280, "", TIMES, EMPTY)
        yield name + " fchownat empty", lambda at=at: at(260, "", os.getuid(), -1, EMPTY)
        yield name + " fchmodat2 empty", lambda at=at: at(452, "", 0o640, EMPTY)
        yield name + " fsetxattr", lambda at=at: at(190, "user.x", b"v", 1, 0)
        yield name + " fremovexattr", lambda at=at: at(199, "user.x")
        yield name + " mkdirat", lambda at=at: at(258, "x", 0o700)
        yield name + " empty mkdirat", lambda at=at: at(258, "", 0o700)
        yield name + " linkat by proc", lambda flags=flags: call(265, AT, "/proc/self/fd/%d" % os.open("file", flags), AT, "x", FOLLOW)
    yield "bad descriptor", lambda: [call(n, 77, *rest) for n, rest in ((91, (0,)), (93, (0, 0)), (190, ("user.x", b"v", 1, 0)), (258, ("x", 0)), (280, (None, TIMES, 0)))]
    yield "pipe", lambda: [call(91, os.pipe()[0], 0o600), call(93, os.pipe()[0], -1, -1)]
    yield "relative", lambda: [call(258, os.open("folder", os.O_PATH), "x", 0o700), call(263, os.open("folder", os.O_RDONLY), "inner", 0)]
    yield "removed folder", lambda: (os.mkdir("gone"), os.chdir("gone"), os.rmdir("../gone"), [call(83, "x", 0o700), call(84, "."), call(82, "../file", "x")], os.chdir(".."))[3]
    yield "temporary", lambda: call(265, AT, "/proc/self/fd/%d" % os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o600), AT, "kept", FOLLOW)
    yield "temporary exclusive", lambda: call(265, AT, "/proc/self/fd/%d" % os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_EXCL, 0o600), AT, "kept", FOLLOW)
    for mask in (0o022, 0o077, 0o777):
        yield "mask %o" % mask, lambda mask=mask: (os.umask(mask), call(83, "m", 0o777), call(133, "n", 0o100666, 0), os.umask(0))[1:3]
    yield "set-id kept off folders", lambda: call(83, "m", 0o6777)
    yield "no way in", lambda: (os.chmod("folder", 0), [call(87, "folder/inner"), call(82, "folder/inner", "x"), call(90, "folder/inner", 0)], os.chmod("folder", 0o755))[1]
    yield "no writing", lambda: (os.chmod("folder", 0o555), [call(87, "folder/inner"), call(82, "folder/inner", "x"), call(83, "folder/x", 0o700)], os.chmod("folder", 0o755))[1]
    yield "sticky", lambda: (os.chmod("folder", 0o1777), call(87, "folder/inner"))[1]


def main():
    work = os.path.realpath(sys.argv[1])
    before = None
    count = 0
    rebuild = True
    for name, arguments in cases():
        if rebuild:
            os.chdir(work)
            fresh(str(count))
            count += 1
            before = state()
        said = call(*arguments)
        now = state()
        rebuild = now != before
        shown = [str(a)[:40] if not isinstance(a, ctypes.Array) else "T" for a in arguments]
        changes = [line for line in now if line not in before] + ["gone " + line[0] for line in before if line[0] not in [n[0] for n in now]]
        print(name, shown, said, changes)
    for name, attempt in descriptors():
        os.chdir(work)
        fresh(str(count))
        count += 1
        try:
            said = attempt()
        except OSError as problem:
            said = problem.errno
        print(name, said, state())


main()
