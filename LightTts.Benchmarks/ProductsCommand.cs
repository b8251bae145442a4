using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using LightTts.Cpu;

namespace LightTts.Benchmarks;

/// <summary><c>products</c>: the CPU's own matrix products at CosyVoice3's sizes, 32-bit against 8-bit, in alternating runs.</summary>
internal static unsafe class ProductsCommand
{
    // Outputs and inputs, and how many there are in a step of the model.
    private static readonly (string Name, int Outputs, int Inputs)[] s_shapes =
    [
        ("language qkv", 1152, 896), ("language out", 896, 896), ("language gate and up", 9728, 896), ("language down", 896, 4864),
        ("flow qkv", 3072, 1024), ("flow up", 2048, 1024), ("flow down", 1024, 2048),
    ];

    public static Command Create()
    {
        var rows = new Option<int[]>("--rows") { Description = "Rows of a product.", DefaultValueFactory = _ => [1, 4, 16, 100],
            AllowMultipleArgumentsPerToken = true };
        var threads = new Option<int>("--threads") { Description = "Threads of one product; -1 for all cores.", DefaultValueFactory = _ => -1 };
        var rounds = new Option<int>("--rounds") { Description = "Alternating runs.", DefaultValueFactory = _ => 15 };
        var command = new Command("products", "Measures the CPU's matrix products.") { rows, threads, rounds };
        command.SetAction(parsed =>
        {
            Console.WriteLine($"8-bit products by {Int8Paths.Best}, {Environment.ProcessorCount} cores; medians (least) of "
                + $"{parsed.GetValue(rounds)} alternating runs");
            foreach (var (name, outputs, inputs) in s_shapes)
                foreach (var count in parsed.GetValue(rows)!)
                    Measure(name, outputs, inputs, count, parsed.GetValue(threads), parsed.GetValue(rounds));
        });
        return command;
    }

    private static void Measure(string name, int outputs, int inputs, int rows, int threads, int rounds)
    {
        // Several copies in turn, as a model has several layers: none stays in the caches.
        const long Bytes = 200_000_000;
        var copies = (int)Math.Max(2, Bytes / ((long)outputs * inputs * sizeof(float)));
        using var weights = new NativeBuffer((long)outputs * inputs);
        using var x = new NativeBuffer((long)rows * inputs);
        using var y = new NativeBuffer((long)rows * NativeBuffer.Padded(outputs));
        var random = new Random(1);
        foreach (var buffer in (NativeBuffer[])[weights, x])
            for (var i = 0L; i < buffer.Length; i++)
                buffer.Start[i] = random.NextSingle() - 0.5f;
        var exact = Enumerable.Range(0, copies).Select(_ => new PackedMatrix(weights.Start, outputs, inputs, null)).ToList();
        var quantised = Enumerable.Range(0, copies).Select(_ => new QuantizedMatrix(weights.Start, outputs, inputs, null)).ToList();
        double[] exactTimes = new double[rounds], quantisedTimes = new double[rounds];
        for (var round = -1; round < rounds; round++)
        {
            var first = Microseconds(() => exact.ForEach(matrix =>
                matrix.Multiply(x.Start, inputs, rows, y.Start, NativeBuffer.Padded(outputs), false, threads))) / copies;
            var second = Microseconds(() => quantised.ForEach(matrix =>
                matrix.Multiply(x.Start, inputs, rows, y.Start, NativeBuffer.Padded(outputs), false, threads))) / copies;
            if (round >= 0)
                (exactTimes[round], quantisedTimes[round]) = (first, second);
        }
        exact.ForEach(matrix => matrix.Dispose());
        quantised.ForEach(matrix => matrix.Dispose());
        Array.Sort(exactTimes);
        Array.Sort(quantisedTimes);
        var (a, b) = (exactTimes[rounds / 2], quantisedTimes[rounds / 2]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-22} {outputs,5} x {inputs,-5} rows {rows,3}: "
            + $"float32 {a,7:0} us ({exactTimes[0],7:0}), int8 {b,7:0} us ({quantisedTimes[0],7:0}), "
            + $"{a / b:0.00} times as fast ({exactTimes[0] / quantisedTimes[0]:0.00})"));
    }

    private static double Microseconds(Action run)
    {
        var start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
