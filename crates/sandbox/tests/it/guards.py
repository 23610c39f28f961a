# Attempts on guarded paths, each in a folder of its own; argument: the workspace. Prints what each read.
import ctypes, mmap, os, shutil, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "call")
    return result


def put(path, flags=os.O_WRONLY | os.O_CREAT, **more):
    fd = os.open(path, flags, 0o666, **more)
    os.write(fd, b"planted")


def exchange(one, other):
    call(316, -100, one.encode(), -100, other.encode(), 2)


def how(path, flags, resolve, folder=-100):
    import struct
    return call(437, folder, path.encode(), ctypes.create_string_buffer(struct.pack("QQQ", flags, 0o666 if flags & os.O_CREAT else 0, resolve)), ctypes.c_size_t(24))


def by_path_only(path, flags):
    fd = os.open(path, os.O_PATH)
    return os.open("/proc/self/fd/%d" % fd, flags)


def read(path):
    print(open(path, "rb").read())


def temporary(to):
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o666)
    os.write(fd, b"planted")
    call(265, -100, b"/proc/self/fd/%d" % fd, -100, to.encode(), 0x400)


def linked(to, folder):
    os.symlink(folder, to)
    put(os.path.join(to, os.path.basename("config")))


def folder_with(name, inner):
    os.makedirs(os.path.dirname(name + "/" + inner))
    put(name + "/" + inner)
    return name


def late(to, inner):
    # The descriptor was had before the folder got its name.
    os.mkdir("staged")
    fd = os.open("staged", os.O_RDONLY)
    os.rename("staged", to)
    put(inner, dir_fd=fd)


def swapped():
    # One process swaps what a name leads to while another writes through it.
    import signal
    os.symlink("file", "name")
    child = os.fork()
    while child == 0:
        for to in ("file", ".git/config"):
            os.symlink(to, "next")
            os.rename("next", "name")
            os.sched_yield()
    # Until there was a race: refused often enough, or through.
    refused = opened = 0
    try:
        for _ in range(50000):
            try:
                fd = os.open("name", os.O_WRONLY | os.O_TRUNC)
                os.write(fd, b"planted")
                os.close(fd)
                opened += 1
            except OSError:
                refused += 1
            if (refused >= 20 and opened >= 20) or open(".git/config").read() != "[core]\n":
                break
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


CHANGES = {
    "write": lambda: put(".git/config"),
    "append": lambda: put(".git/config", os.O_WRONLY | os.O_APPEND),
    "both": lambda: put(".git/config", os.O_RDWR),
    "truncate by opening": lambda: os.open(".git/config", os.O_RDONLY | os.O_TRUNC),
    "truncate": lambda: os.truncate(".git/config", 0),
    "remove": lambda: os.unlink(".git/config"),
    "rename away": lambda: os.rename(".git/config", "c"),
    "rename over": lambda: (put("n"), os.rename("n", ".git/config")),
    "exchange": lambda: (put("n"), exchange("n", ".git/config")),
    "hard link out": lambda: (os.link(".git/config", "c"), put("c")),
    "hard link in": lambda: (put("n"), os.link("n", ".git/hooks/n")),
    "temporary file linked in": lambda: temporary(".git/hooks/n"),
    "new file": lambda: put(".git/hooks/pre-commit"),
    "new by creat": lambda: call(85, b".git/hooks/n", 0o666),
    "new folder": lambda: os.mkdir(".git/hooks/d"),
    "new link": lambda: os.symlink("/x", ".git/hooks/l"),
    "new node": lambda: os.mknod(".git/hooks/n", 0o100666),
    "remove below": lambda: os.unlink(".git/hooks/sample"),
    "remove tree": lambda: shutil.rmtree(".git/hooks"),
    "mode": lambda: os.chmod(".git/config", 0o777),
    "mode of the folder": lambda: os.chmod(".git/hooks", 0o700),
    "mode by descriptor": lambda: os.fchmod(os.open(".git/config", os.O_RDONLY), 0o777),
    "mode by name descriptor": lambda: os.chmod("/proc/self/fd/%d" % os.open(".git/config", os.O_PATH), 0o777),
    "mode by fchmodat2": lambda: call(452, os.open(".git/config", os.O_PATH), b"", 0o777, 0x1000),
    "times": lambda: os.utime(".git/config", (1, 1)),
    "times by descriptor": lambda: os.utime(os.open(".git/config", os.O_RDONLY), (1, 1)),
    "times by utime": lambda: call(132, b".git/config", ctypes.create_string_buffer(b"\1" + b"\0" * 15)),
    "attribute": lambda: os.setxattr(".git/config", "user.x", b"1"),
    "attribute by descriptor": lambda: os.setxattr(os.open(".git/config", os.O_RDONLY), "user.x", b"1"),
    "reopen a name descriptor": lambda: os.write(by_path_only(".git/config", os.O_WRONLY), b"planted"),
    "reopen a read descriptor": lambda: put("/proc/self/fd/%d" % os.open(".git/config", os.O_RDONLY), os.O_WRONLY),
    "through a link": lambda: (os.symlink(".git/config", "l"), put("l")),
    "through a linked folder": lambda: linked("l", ".git"),
    "through a dangling link": lambda: (os.symlink(".git/hooks/new", "l"), put("l")),
    "through the working folder": lambda: put("/proc/self/cwd/.git/config"),
    "through the root": lambda: put("/proc/self/root" + os.getcwd() + "/.git/config"),
    "by dots": lambda: put("sub/.././/.git/./config"),
    "from within": lambda: (os.chdir(".git/hooks"), put("n")),
    "from a folder's descriptor": lambda: put("hooks/n", dir_fd=os.open(".git", os.O_PATH)),
    "openat2 beneath": lambda: how(".git/hooks/n", os.O_WRONLY | os.O_CREAT, 8),
    "openat2 in root": lambda: how("/.git/hooks/n", os.O_WRONLY | os.O_CREAT, 0x10, os.open(".", os.O_PATH)),
    "openat2 by dots": lambda: how("sub/../.git/hooks/n", os.O_WRONLY | os.O_CREAT, 8),
    "rename the folder": lambda: (os.rename(".git", "g"), put("g/config")),
    "rename a folder around": lambda: (os.mkdir("a"), os.rename(".git", "a/.git")),
    "rename the guarded folder": lambda: os.rename(".git/hooks", "h"),
    "exchange the folder": lambda: (folder_with("s", "config"), exchange("s", ".git")),
    "another case": lambda: (os.mkdir("x"), os.mkdir("x/.GIT"), put("x/.GIT/Config")),
    "another case of hooks": lambda: os.mkdir(".git/HOOKS"),
    "a dot behind": lambda: (os.mkdir("x"), os.mkdir("x/.git."), put("x/.git./config")),
    "an invisible letter": lambda: (os.mkdir("x"), os.mkdir("x/.g\u200cit"), put("x/.g\u200cit/config")),
    "missing folder": lambda: os.mkdir(".vscode"),
    "missing folder in another case": lambda: os.mkdir(".VSCode"),
    "missing folder as a file": lambda: put(".vscode"),
    "missing folder as a link": lambda: os.symlink("sub", ".vscode"),
    "missing folder by renaming": lambda: (os.mkdir("s"), os.rename("s", ".vscode")),
    "missing file by renaming a folder": lambda: os.rename(folder_with("s", "settings.json"), ".claude"),
    "missing file by renaming deep": lambda: os.rename(folder_with("x/y/s", "settings.json"), "x/y/.claude"),
    "missing file by renaming around": lambda: os.rename(folder_with("x/s", "settings.json") and folder_with("q", "z") and "x/s", "q/.claude"),
    "missing file by a linked folder": lambda: os.symlink(folder_with("s", "settings.json"), ".claude"),
    "missing file in a made folder": lambda: (os.mkdir(".claude"), put(".claude/settings.json")),
    "missing file by an earlier descriptor": lambda: late(".claude", "settings.json"),
    "missing file by exchange": lambda: (os.mkdir(".claude"), folder_with("s", "settings.json"), exchange("s", ".claude")),
    "missing file in an unreadable folder": lambda: (folder_with("s", "settings.json"), os.chmod("s", 0), os.rename("s", ".claude")),
    "a file where a folder leads on": lambda: put("sub/.git"),
    "a link where a folder leads on": lambda: os.symlink("../evil", "sub/.git"),
    "a hard link where a folder leads on": lambda: (put("n"), os.link("n", "sub/.git")),
    "a renamed file where a folder leads on": lambda: (put("n"), os.rename("n", "sub/.git")),
    "swap while opening": swapped,
    "write masked": lambda: put(".env"),
    "remove masked": lambda: os.unlink(".env"),
    "rename masked": lambda: os.rename(".env", "e"),
    "make masked": lambda: put("sub/.env"),
    "write hidden": lambda: put("private/new"),
    "make hidden": lambda: (os.mkdir("sub/private"), put("sub/private/new")),
    "remove hidden": lambda: os.unlink("private/plan"),
}
READS = {
    "read": lambda: read(".env"),
    "read by cat": lambda: subprocess.run(["cat", ".env"]),
    "read both": lambda: print(os.read(os.open(".env", os.O_RDWR), 99)),
    "read a name descriptor": lambda: print(os.read(by_path_only(".env", os.O_RDONLY), 99)),
    "read through a link": lambda: (os.symlink(".env", "l"), read("l")),
    "read through the working folder": lambda: read("/proc/self/cwd/.env"),
    "read a hard link": lambda: (os.link(".env", "l"), read("l")),
    "read renamed": lambda: (os.rename(".env", "l"), read("l")),
    "read by exchange": lambda: (put("l"), exchange(".env", "l"), read("l")),
    "read mapped": lambda: print(mmap.mmap(os.open(".env", os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]),
    "read by openat2": lambda: print(os.read(how(".env", os.O_RDONLY, 8), 99)),
    "read and make": lambda: print(os.read(os.open(".env", os.O_RDONLY | os.O_CREAT), 99)),
    "read copied": lambda: (shutil.copyfile(".env", "c"), read("c")),
    "read by sourcing": lambda: subprocess.run(["/bin/sh", "-c", ". ./.env; echo $TOKEN"]),
    "read by executing": lambda: (os.chmod(".env", 0o777), subprocess.run(["./.env"], executable="/bin/cat")),
    "hidden": lambda: read("private/plan"),
    "hidden list": lambda: print(os.listdir("private")),
    "hidden size": lambda: print("size", os.stat("private/plan").st_size),
    "hidden renamed": lambda: (os.rename("private", "p"), read("p/plan")),
    "hidden from within": lambda: (os.chdir("private"), read("plan")),
    "hidden linked": lambda: (os.link("private/plan", "p"), read("p")),
    "hidden file": lambda: read("minutes.private"),
}
if __name__ == "__main__":
    if sys.argv[1] == "names":
        print("\n".join([*CHANGES, "", *READS]))
        sys.exit()
    for number, (name, attempt) in enumerate([*CHANGES.items(), *READS.items()]):
        sys.stdout.flush()
        if os.fork() == 0:
            os.chdir("%s/%d" % (sys.argv[1], number))
            try:
                print("%s: " % number, end="", flush=True)
                attempt()
            except BaseException as problem:
                print(repr(problem))
            sys.stdout.flush()
            os._exit(0)
        os.wait()
        print(flush=True)
