using System.Globalization;
using LightTts.Tests.Support;
using LightTts.Tests.Timbres;
using LightTts.Timbres.Sharing;

namespace LightTts.Tests.Faults;

/// <summary>Rows 20 to 22 of the fault matrix: processes that share a segment and are killed.</summary>
public sealed class TimbreProcessFaultTests : IDisposable
{
    private readonly MemoryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Segment => _folder["voices.seg"];

    public void Dispose() => _folder.Dispose();

    /// <summary>Every step of a writer, with and without compaction, and how often it is passed before the kill.</summary>
    private static readonly (string Step, int[] Passes, bool TwoMoves)[] Steps =
    [
        ("encoded", [3], false), ("extraction entered", [2], false), ("lock taken", [1, 4], false), ("scanned", [0, 5], false),
        ("record half written", [0, 3, 30], false), ("record written", [0, 3, 30], false), ("slot written", [0, 4, 31], false),
        ("slot complete", [0, 4], false),
        ("published", [0, 5, 32], false), ("clock set", [0, 6], false),
        ("file created", [0, 1], false), ("space allocated", [0, 1], false), ("header written", [0, 1], false), ("leftovers deleted", [0], false),
        ("voices copied", [0], false), ("names copied", [0], false), ("copy complete", [0, 1], false), ("before the swap", [0, 1, 2], false),
        ("swapped", [0, 1, 2], false),
        ("durable lock taken", [0, 3], false), ("durable file created", [0, 1, 6], false), ("durable file half written", [0, 1, 7], false),
        ("durable file complete", [0, 1, 6], false), ("durable file in place", [0, 1, 7], false), ("durable voice kept", [0, 5], false),
        ("before the swap", [1], true), ("old one marked", [0, 1], true), ("old one moved", [0, 1], true), ("swapped", [1], true),
    ];

    [Fact]
    public async Task A_writer_is_killed_at_every_step()
    {
        var rounds = FullRun.Pick(1, 25); // 25 x 44 passes of steps
        for (var round = 0; round < rounds; round++)
            foreach (var (step, passes, twoMoves) in Steps)
                foreach (var pass in FullRun.IsOn ? passes : passes[..1])
                {
                    using var folder = new MemoryFolder();
                    var segment = folder["s"];
                    var published = new List<int>();
                    using (var writer = ChildProcess.Start(TimbreWorker.Writer, segment, "1048576", "0", "60", step,
                        (pass + round).ToString(CultureInfo.InvariantCulture), twoMoves ? "1" : "0"))
                    {
                        published.AddRange(writer.ReadToEnd().Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
                        if (round == 0)
                            Assert.True(writer.WaitForExit() != 0, $"was not killed at '{step}' after {pass}");
                    }
                    var count = published.Count;
                    await CheckAfterKillAsync(segment, count == 0 ? [] : published.TakeLast(12), $"killed at '{step}' after {pass}");
                }
    }

    [Fact]
    public async Task Writers_are_killed_at_random_times()
    {
        var random = new Random(20);
        using var peer = FakeVoices.Store(Segment, segmentBytes: 1 << 30, maxTimbres: 65_536);
        var all = new List<int>();
        for (int round = 0, first = 0; round < FullRun.Pick(15, 200); round++)
        {
            var victims = Enumerable.Range(0, 2).Select(i =>
                ChildProcess.Start(TimbreWorker.Writer, Segment, "1073741824", (first + i * 1000).ToString(CultureInfo.InvariantCulture), "1000", "",
                "0", "0")).ToList();
            first += 2000;
            var wanted = random.Next(1, 12);
            for (var i = 0; i < wanted; i++)
                Record(victims[0].ReadLine());
            foreach (var victim in victims)
            {
                victim.Kill();
                foreach (var line in victim.ReadToEnd())
                    Record(line);
                victim.Dispose();
            }
            // The next writer proceeds, and no reader sees anything but whole voices.
            var mine = 1_000_000 + round;
            Assert.True(FakeVoices.Are((await peer.AddAsync(FakeVoices.Clip(mine), cancellationToken: Token)).Features, mine));
            all.Add(mine);
            using var reader = FakeVoices.Store(Segment, maxTimbres: 65_536);
            Assert.All(all.TakeLast(100), voice =>
                Assert.True(reader.Get(FakeVoices.Id(voice)) is { } timbre
                && FakeVoices.Are(timbre.Features, voice), $"voice {voice} after round {round}"));
        }
        using var last = FakeVoices.Store(Segment, maxTimbres: 65_536);
        Assert.All(all, voice => Assert.True(FakeVoices.Are(last.Get(FakeVoices.Id(voice))!.Features, voice)));

        void Record(string? line)
        {
            if (int.TryParse(line, CultureInfo.InvariantCulture, out var voice))
                all.Add(voice);
        }
    }

    [Fact]
    public void All_named_voices_of_one_process_are_found_by_another_and_after_a_reboot()
    {
        var count = FullRun.Pick(300, 10_000).ToString(CultureInfo.InvariantCulture);
        const string Bytes = "1073741824";
        using (var writer = ChildProcess.Start(TimbreWorker.Writer, Segment, Bytes, "0", count, "", "0", "0"))
            Assert.Equal((count, 0), (writer.ReadToEnd().Count.ToString(CultureInfo.InvariantCulture), writer.WaitForExit()));
        Check();
        File.Delete(Segment);
        Check();

        void Check()
        {
            using var finder = ChildProcess.Start(TimbreWorker.Finder, Segment, Bytes, count);
            Assert.Equal($"{count} {count}", Assert.Single(finder.ReadToEnd()));
            Assert.Equal(0, finder.WaitForExit());
        }
    }

    [Theory]
    [InlineData("durable file created")]
    [InlineData("durable file half written")]
    [InlineData("durable file complete")]
    public void A_full_disk_is_an_error_of_naming_a_voice_and_leaves_nothing(string step)
    {
        using var child = ChildProcess.Start(TimbreWorker.Full, Segment, step);
        var lines = child.ReadToEnd();
        Assert.Equal(0, child.WaitForExit());
        Assert.Contains("'bob'", lines[0]);
        Assert.Contains("No space left on device", lines[0]);
        Assert.Equal(["absent", "0", "True"], lines[1..]);
    }

    [Fact]
    public async Task A_reader_that_is_killed_holds_nothing()
    {
        using var store = FakeVoices.Store(Segment, maxTimbres: 4);
        for (var round = 0; round < FullRun.Pick(5, 200); round++)
        {
            for (var voice = 0; voice < 4; voice++)
                await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
            using (var reader = ChildProcess.Start(TimbreWorker.Reader, Segment, "4"))
            {
                for (var i = 0; i < 1 + round % 7; i++)
                    reader.ReadLine();
                reader.Kill();
            }
            for (var voice = 4; voice < 8; voice++)
                await store.AddAsync(FakeVoices.Clip(voice), cancellationToken: Token);
            using var other = FakeVoices.Store(Segment);
            Assert.Equal(Enumerable.Range(4, 4).Select(FakeVoices.Id).Order(), other.List().Select(info => info.Id).Order());
        }
    }

    [Fact]
    public void Four_processes_with_eight_threads_on_eight_entries_never_read_a_wrong_voice()
    {
        const int Processes = 4, Threads = 8, Entries = 8;
        var operations = FullRun.Pick(500, 10_000);
        var children = Enumerable.Range(0, Processes)
            .Select(i => ChildProcess.Start(TimbreWorker.Hammer, Segment, $"{Threads}", $"{operations}", "24", $"{Entries}", $"{i}")).ToList();
        foreach (var child in children)
        {
            var result = Assert.Single(child.ReadToEnd()).Split(' ').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
            Assert.Equal(0, child.WaitForExit());
            Assert.Equal((Threads * operations, 0), (result[0], result[1]));
            Assert.InRange(result[2], 1, Entries);
            child.Dispose();
        }
        using var after = FakeVoices.Store(Segment, maxTimbres: Entries);
        Assert.InRange(after.List().Count, 1, Entries);
    }

    private static async Task CheckAfterKillAsync(string segment, IEnumerable<int> published, string when)
    {
        using var store = FakeVoices.Store(segment, maxTimbres: 1000);
        foreach (var voice in published)
            Assert.True(store.Get(FakeVoices.Id(voice)) is { } timbre && FakeVoices.Are(timbre.Features, voice)
            && store.Get($"voice-{voice}")?.Id == FakeVoices.Id(voice), $"voice {voice} is lost: {when}");
        // After a reboot, too: shared memory is empty, and all names that were reported are found on disk.
        var rebooted = FakeVoices.Options(segment + "-after-reboot");
        (rebooted.Durable, rebooted.DurableFolder) = (true, segment + ".named");
        using (var later = FakeVoices.Store(rebooted))
        {
            foreach (var voice in published)
                Assert.True(later.Get($"voice-{voice}") is { } kept && kept.Id == FakeVoices.Id(voice)
                && FakeVoices.Are(kept.Features, voice), $"voice {voice} is not kept: {when}");
            await later.AddAsync(FakeVoices.Clip(6000), name: "next", cancellationToken: Token);
        }
        foreach (var info in store.List())
            Assert.True(store.Get(info.Id) is { } timbre && FakeVoices.Are(timbre.Features, (int)timbre.Features.Mel[0])
            && FakeVoices.Id((int)timbre.Features.Mel[0]) == info.Id, when);
        // The next writer proceeds: its voice is in the segment, where another store finds it.
        await store.AddAsync(FakeVoices.Clip(5000), cancellationToken: Token);
        using var other = FakeVoices.Store(segment);
        Assert.True(other.Get(FakeVoices.Id(5000)) is not null, when);
        Assert.Equal(segment, Directory.GetFiles(Path.GetDirectoryName(segment)!, "s").Single());
    }
}
