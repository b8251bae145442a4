using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace LightTts.Weights;

/// <summary>
/// Reads the pickle of a state dict without being a pickle machine: about 30 opcodes of protocols 2 to 5, the few globals that torch.save writes for
/// tensors, and nothing else. Every other opcode or global is refused by its name and
/// offset. Memory is bounded by the limits below, not by the input.
/// </summary>
internal sealed class PickleReader
{
    public const int MaxBytes = 32 * 1024 * 1024;
    private const int MaxOperations = 1_000_000, MaxStack = 100_000, MaxDepth = 64, MaxString = 64 * 1024;
    private const long MaxWeight = 1_000_000;

    private static readonly object Mark = new();
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly TensorPickle _tensors;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly List<object?> _memo = [];
    private int _position, _start;
    private PickleOpcode _opcode;

    private PickleReader(string path, TensorPickle tensors)
    {
        _path = path;
        _tensors = tensors;
    }

    /// <summary>Reads one object.</summary>
    /// <param name="bytes">The pickle, whole.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="tensors">Makes storages and tensors.</param>
    /// <exception cref="TtsModelLoadException">The pickle is damaged or wants something
    /// that is not allowed; the message names opcode and offset.</exception>
    public static object? Read(ReadOnlySpan<byte> bytes, string path, TensorPickle tensors)
    {
        if (bytes.Length > MaxBytes)
            throw new TtsModelLoadException($"{path}: a pickle of {bytes.Length} bytes is larger than any state dict's ({MaxBytes}).");
        var reader = new PickleReader(path, tensors);
        try
        {
            return reader.Run(bytes);
        }
        catch (Exception e) when (e is PickleFormatException or DecoderFallbackException)
        {
            throw new TtsModelLoadException($"{path}: refused to unpickle {reader._opcode} at offset {reader._start}: {e.Message}. " +
                "Only state dicts (dicts of tensors, numbers and strings) are read; save one with torch.save(model.state_dict(), path).", e);
        }
    }

    private object? Run(ReadOnlySpan<byte> bytes)
    {
        for (var operations = 0; ; operations++)
        {
            _start = _position;
            _opcode = (PickleOpcode)Take(bytes, 1)[0];
            if (operations == MaxOperations)
                throw new PickleFormatException($"more than {MaxOperations} operations");
            if (operations == 0 != (_opcode == PickleOpcode.Proto))
                throw new PickleFormatException("a pickle starts with its protocol, and only there");
            if (_opcode == PickleOpcode.Stop)
                return _stack.Count == 1 && _marks.Count == 0 && _position == bytes.Length ? _stack[0]
                : throw new PickleFormatException("something is left over at the end");
            Execute(bytes);
        }
    }

    private void Execute(ReadOnlySpan<byte> bytes)
    {
        switch (_opcode)
        {
            case PickleOpcode.Proto:
                var protocol = Take(bytes, 1)[0];
                if (protocol is < 2 or > 5)
                    throw new PickleFormatException($"protocol {protocol} is not one of 2 to 5");
                break;
            case PickleOpcode.Frame: _ = Take(bytes, 8); break;
            case PickleOpcode.None: Push(null); break;
            case PickleOpcode.NewTrue: Push(true); break;
            case PickleOpcode.NewFalse: Push(false); break;
            case PickleOpcode.BinInt: Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(bytes, 4))); break;
            case PickleOpcode.BinInt1: Push((long)Take(bytes, 1)[0]); break;
            case PickleOpcode.BinInt2: Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(bytes, 2))); break;
            case PickleOpcode.Long1: Push(ReadLong(Take(bytes, Take(bytes, 1)[0]))); break;
            case PickleOpcode.BinFloat: Push(BinaryPrimitives.ReadDoubleBigEndian(Take(bytes, 8))); break;
            case PickleOpcode.BinUnicode: Push(ReadText(bytes, BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, 4)))); break;
            case PickleOpcode.ShortBinUnicode: Push(ReadText(bytes, Take(bytes, 1)[0])); break;
            case PickleOpcode.EmptyList: Push(new PickleSequence(isTuple: false)); break;
            case PickleOpcode.EmptyDict: Push(new PickleDictionary(ordered: false)); break;
            case PickleOpcode.EmptyTuple: Push(new PickleSequence(isTuple: true)); break;
            case PickleOpcode.Tuple1: PushTuple(1); break;
            case PickleOpcode.Tuple2: PushTuple(2); break;
            case PickleOpcode.Tuple3: PushTuple(3); break;
            case PickleOpcode.Tuple: PushTuple(PopMark()); break;
            case PickleOpcode.Mark:
                _marks.Add(_stack.Count);
                Push(Mark);
                break;
            case PickleOpcode.Append: Append(1); break;
            case PickleOpcode.Appends: Append(PopMark()); break;
            case PickleOpcode.SetItem: SetItems(2); break;
            case PickleOpcode.SetItems: SetItems(PopMark()); break;
            case PickleOpcode.BinPut: Put(Take(bytes, 1)[0]); break;
            case PickleOpcode.LongBinPut: Put(BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, 4))); break;
            case PickleOpcode.Memoize: Put(_memo.Count); break;
            case PickleOpcode.BinGet: Get(Take(bytes, 1)[0]); break;
            case PickleOpcode.LongBinGet: Get(BinaryPrimitives.ReadUInt32LittleEndian(Take(bytes, 4))); break;
            case PickleOpcode.Global:
                var module = ReadLine(bytes);
                Push(TensorPickle.Global(module, ReadLine(bytes)));
                break;
            case PickleOpcode.StackGlobal:
                if (Pop() is not string name || Pop() is not string space)
                    throw new PickleFormatException("two strings expected");
                Push(TensorPickle.Global(space, name));
                break;
            case PickleOpcode.BinPersId: Push(_tensors.Storage(Pop())); break;
            case PickleOpcode.Reduce:
                var arguments = Pop();
                Push(_tensors.Call(Pop(), arguments));
                break;
            case PickleOpcode.Build: Build(); break;
            default:
                throw new PickleFormatException($"this opcode (0x{(int)_opcode:x2}) is not allowed");
        }
    }

    private ReadOnlySpan<byte> Take(ReadOnlySpan<byte> bytes, int count)
    {
        if (count > bytes.Length - _position)
            throw new PickleFormatException("the pickle is truncated");
        _position += count;
        return bytes.Slice(_position - count, count);
    }

    private string ReadText(ReadOnlySpan<byte> bytes, uint length) =>
        length <= MaxString ? Utf8.GetString(Take(bytes, (int)length)) : throw new PickleFormatException($"a string of {length} bytes");

    private string ReadLine(ReadOnlySpan<byte> bytes)
    {
        var length = bytes[_position..].IndexOf((byte)'\n');
        if (length is < 0 or > 1024)
            throw new PickleFormatException("a name without an end");
        var line = Utf8.GetString(Take(bytes, length));
        _ = Take(bytes, 1);
        return line;
    }

    private static long ReadLong(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
            throw new PickleFormatException("a number of more than 64 bits");
        var value = 0L;
        for (var i = 0; i < bytes.Length; i++)
            value |= (long)bytes[i] << (8 * i);
        var unused = 64 - 8 * bytes.Length;
        return bytes.Length == 0 ? 0 : value << unused >> unused;
    }

    private void Push(object? value)
    {
        if (_stack.Count == MaxStack)
            throw new PickleFormatException($"more than {MaxStack} values on the stack");
        _stack.Add(value);
    }

    private object? Pop()
    {
        var value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Top() => _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw new PickleFormatException("the stack is empty");

    /// <summary>Removes the last mark and says how many values are above it.</summary>
    private int PopMark()
    {
        if (_marks.Count == 0)
            throw new PickleFormatException("there is no mark");
        var mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        _stack.RemoveAt(mark);
        return _stack.Count - mark;
    }

    private void NeedAboveMark(int count)
    {
        if (_stack.Count - (_marks.Count == 0 ? 0 : _marks[^1] + 1) < count)
            throw new PickleFormatException("too few values on the stack");
    }

    private void PushTuple(int count)
    {
        NeedAboveMark(count);
        var tuple = new PickleSequence(isTuple: true);
        foreach (var item in _stack[^count..])
            tuple.Add(item);
        _stack.RemoveRange(_stack.Count - count, count);
        Check(tuple);
        Push(tuple);
    }

    private void Append(int count)
    {
        NeedAboveMark(count + 1);
        if (_stack[^(count + 1)] is not PickleSequence { IsTuple: false } list)
            throw new PickleFormatException("a list expected");
        foreach (var item in _stack[^count..])
        {
            NeedOpen(list, item);
            list.Add(item);
            Check(list);
        }
        _stack.RemoveRange(_stack.Count - count, count);
    }

    private void SetItems(int count)
    {
        NeedAboveMark(count + 1);
        if (_stack[^(count + 1)] is not PickleDictionary dictionary || count % 2 != 0)
            throw new PickleFormatException("a dict and pairs expected");
        for (var i = _stack.Count - count; i < _stack.Count; i += 2)
        {
            var key = _stack[i] switch
            {
                string text => text,
                long number => number.ToString(CultureInfo.InvariantCulture),
                _ => throw new PickleFormatException("a key that is neither a string nor an integer"),
            };
            NeedOpen(dictionary, _stack[i + 1]);
            if (!dictionary.TryAdd(key, _stack[i + 1]))
                throw new PickleFormatException($"key '{key}' occurs twice");
            Check(dictionary);
        }
        _stack.RemoveRange(_stack.Count - count, count);
    }

    /// <summary>state_dict() hangs its module versions on the OrderedDict as an
    /// attribute; that is the one state that is accepted, and it is dropped.</summary>
    private void Build()
    {
        var state = Pop();
        if (Top() is not PickleDictionary { Ordered: true } || state is not PickleDictionary { Items: { Count: 1 } items }
            || !items.ContainsKey("_metadata"))
            throw new PickleFormatException("object state is not allowed here");
    }

    private static void NeedOpen(PickleContainer container, object? child)
    {
        if (container.Sealed || ReferenceEquals(container, child))
            throw new PickleFormatException("a container that is changed after it became part of another, or contains itself");
    }

    private static void Check(PickleContainer container)
    {
        if (container.Depth > MaxDepth)
            throw new PickleFormatException($"containers nested more than {MaxDepth} deep");
        if (container.Weight > MaxWeight)
            throw new PickleFormatException($"a container that expands to more than {MaxWeight} values");
    }

    private void Put(long index)
    {
        // Picklers number the memo one after the other; any other number is only good for making it large.
        if (index > _memo.Count)
            throw new PickleFormatException($"memo index {index} where {_memo.Count} is the next");
        if (index == _memo.Count)
            _memo.Add(Top());
        else
            _memo[(int)index] = Top();
    }

    private void Get(long index)
    {
        if (index >= _memo.Count)
            throw new PickleFormatException($"memo index {index} was never stored");
        Push(_memo[(int)index]);
    }
}
