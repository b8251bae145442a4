using System.Diagnostics;
using System.Globalization;
using LightTts.Timbres.Sharing;

namespace LightTts.Tests.Timbres;

/// <summary>What child processes do with a segment.</summary>
internal static class TimbreWorker
{
    public const string Writer = "timbre-writer", Hammer = "timbre-hammer", Reader = "timbre-reader", Finder = "timbre-finder", Full = "timbre-full";

    /// <summary>Adds voices one after the other and reports each when it is published, until it has added them all or dies.</summary>
    /// <param name="arguments">Segment, its bytes, first voice, number of voices, the step to die at (or empty), how often it is passed before that,
    /// 1 to replace files in two moves.</param>
    public static int Write(string[] arguments)
    {
        var (first, count, step, passes) = (Number(arguments[2]), Number(arguments[3]), arguments[4], Number(arguments[5]));
        SegmentBuilder.ReplacesInOneStep = arguments[6] != "1";
        var options = FakeVoices.Options(arguments[0], long.Parse(arguments[1], CultureInfo.InvariantCulture), maxTimbres: 65_536);
        options.Durable = true;
        using var store = FakeVoices.Store(options, frames: 100);
        if (step.Length > 0)
            SegmentSteps.Observer = at =>
            {
                if (at == step && passes-- == 0)
                    Process.GetCurrentProcess().Kill();
            };
        for (var voice = first; voice < first + count; voice++)
        {
            store.AddAsync(FakeVoices.Clip(voice), name: $"voice-{voice}").AsTask().GetAwaiter().GetResult();
            Console.Out.WriteLine(voice);
            Console.Out.Flush();
        }
        return 0;
    }

    /// <summary>Looks for named voices and reports how many were found, whole and under the right identity, and how many the list has.</summary>
    /// <param name="arguments">Segment, its bytes, number of voices.</param>
    public static int Find(string[] arguments)
    {
        var options = FakeVoices.Options(arguments[0], long.Parse(arguments[1], CultureInfo.InvariantCulture), maxTimbres: 65_536);
        options.Durable = true;
        using var store = FakeVoices.Store(options);
        var found = Enumerable.Range(0, Number(arguments[2])).Count(voice => store.Get($"voice-{voice}") is { } timbre
            && timbre.Id == FakeVoices.Id(voice) && FakeVoices.Are(timbre.Features, voice));
        Console.Out.WriteLine($"{found} {store.List().Sum(info => info.Names.Count)}");
        return 0;
    }

    /// <summary>Adds a named voice on a disk that is full half way through a file, then once more when there is space; reports both.</summary>
    /// <param name="arguments">Segment, the step at which the disk is full.</param>
    public static int FillDisk(string[] arguments)
    {
        var options = FakeVoices.Options(arguments[0]);
        options.Durable = true;
        using var store = FakeVoices.Store(options);
        SegmentSteps.Observer = at =>
        {
            if (at == arguments[1])
                throw new IOException("No space left on device");
        };
        try
        {
            store.AddAsync(FakeVoices.Clip(1), name: "bob").AsTask().GetAwaiter().GetResult();
            Console.Out.WriteLine("kept");
        }
        catch (TtsTimbreException e)
        {
            Console.Out.WriteLine(e.Message);
        }
        Console.Out.WriteLine(store.Get("bob") is null ? "absent" : "there");
        Console.Out.WriteLine(Directory.GetFiles(arguments[0] + ".named", "*.tmp-*", SearchOption.AllDirectories).Length);
        SegmentSteps.Observer = null;
        store.AddAsync(FakeVoices.Clip(1), name: "bob").AsTask().GetAwaiter().GetResult();
        Console.Out.WriteLine(FakeVoices.Are(store.Get("bob")!.Features, 1));
        return 0;
    }

    /// <summary>Random gets and adds on a small cache from several threads.</summary>
    /// <param name="arguments">Segment, threads, operations for each, voices, entries of the cache, seed.</param>
    /// <returns>0; the output says: operations, wrong voices, the most voices held at once.</returns>
    public static int RunHammer(string[] arguments)
    {
        var (threads, operations, voices, entries, seed) =
            (Number(arguments[1]), Number(arguments[2]), Number(arguments[3]), Number(arguments[4]), Number(arguments[5]));
        using var store = FakeVoices.Store(arguments[0], maxTimbres: entries);
        var clips = Enumerable.Range(0, voices).Select(FakeVoices.Clip).ToArray();
        var ids = Enumerable.Range(0, voices).Select(FakeVoices.Id).ToArray();
        int done = 0, wrong = 0, most = 0;
        var workers = Enumerable.Range(0, threads).Select(worker => new Thread(() =>
        {
            var random = new Random(seed * 1000 + worker);
            for (var i = 0; i < operations; i++)
            {
                var voice = random.Next(voices);
                var timbre = random.Next(2) == 0 ? store.Get(ids[voice]) : store.AddAsync(clips[voice]).AsTask().GetAwaiter().GetResult();
                if (timbre is not null && (timbre.Id != ids[voice] || !FakeVoices.Are(timbre.Features, voice)))
                    Interlocked.Increment(ref wrong);
                Interlocked.Increment(ref done);
                if (store.Cache.Usage.Timbres is var held && held > Volatile.Read(ref most))
                    Volatile.Write(ref most, held);
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        Console.Out.WriteLine($"{done} {wrong} {most}");
        return 0;
    }

    /// <summary>Reads voices and pins one until it is killed.</summary>
    /// <param name="arguments">Segment, voices.</param>
    public static int ReadForEver(string[] arguments)
    {
        using var store = FakeVoices.Store(arguments[0], maxTimbres: 1);
        for (var voice = 0; ; voice = (voice + 1) % Number(arguments[1]))
        {
            using var lease = store.Get(FakeVoices.Id(voice)) is { } timbre ? store.Lease(timbre) : null;
            Console.Out.WriteLine(voice);
            Console.Out.Flush();
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
