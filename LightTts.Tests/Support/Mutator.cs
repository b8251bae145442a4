namespace LightTts.Tests.Support;

/// <summary>Changes bytes at random, the same way for the same seed.</summary>
internal sealed class Mutator(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Cases that a fuzz test with a given share of the whole runs: LIGHTTTS_FUZZ_CASES in all, by default 20,000.</summary>
    public static int Cases(double share) =>
        (int)(share * (int.TryParse(Environment.GetEnvironmentVariable("LIGHTTTS_FUZZ_CASES"), out var cases) ? cases : 20_000));

    /// <summary>A copy with one to eight changes: bytes flipped, set, inserted, removed,
    /// repeated, cut off, or replaced by one of the tokens.</summary>
    public byte[] Mutate(byte[] original, IReadOnlyList<byte[]> tokens)
    {
        var bytes = original.ToList();
        for (var changes = 1 + _random.Next(8); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = _random.Next(bytes.Count);
            var length = Math.Min(1 + _random.Next(16), bytes.Count - at);
            switch (_random.Next(10))
            {
                case 0 or 1: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
                case 2: bytes[at] = (byte)_random.Next(256); break;
                case 3: bytes[at] = (byte)(_random.Next(2) * 255); break;
                case 4: bytes.RemoveRange(at, length); break;
                case 5: bytes.InsertRange(at, bytes.GetRange(_random.Next(bytes.Count - length + 1), length)); break;
                case 6: bytes.Insert(at, (byte)_random.Next(256)); break;
                case 7 when _random.Next(8) == 0: bytes.RemoveRange(at, bytes.Count - at); break;
                case 8:
                    for (var i = 0; i < length; i++)
                        bytes[at + i] = 0xff;
                    break;
                default:
                    var token = tokens[_random.Next(tokens.Count)];
                    if (_random.Next(2) == 0)
                        bytes.RemoveRange(at, Math.Min(token.Length, bytes.Count - at));
                    bytes.InsertRange(at, token);
                    break;
            }
        }
        return [.. bytes];
    }
}
