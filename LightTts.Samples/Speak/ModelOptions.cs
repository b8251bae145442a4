using System.CommandLine;
using LightTts.Samples.Speak.Terminal;

namespace LightTts.Samples.Speak;

/// <summary>The options that choose a model and where it runs, shared by all commands.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string?> _model = new("--model", "-m") { Description =
        "Model directory (CosyVoice2/3 layout), or the name of one that 'speak models pull' fetched. Default: the embedded English voice." };

    private readonly Option<ComputeDevice> _device = new("--device", "-d") { Description = "auto, cpu or cuda.", DefaultValueFactory = _ =>
        ComputeDevice.Auto };

    private readonly Option<ComputePrecision> _precision = new("--precision") { Description = "auto, float32, bfloat16, float16 or int8.",
        DefaultValueFactory = _ => ComputePrecision.Auto };

    private readonly Option<DecoderEngine> _decoder = new("--decoder") { Description = "auto, torch or onnxruntime.", DefaultValueFactory = _ =>
        DecoderEngine.Auto };
    private readonly Option<TtsDevice[]> _devices = new("--devices")
    {
        Description = "Several devices, each with the models' weights, instead of one: cuda:0,cuda:1.",
        CustomParser = result =>
        {
            List<TtsDevice> found = [];
            foreach (var text in result.Tokens.SelectMany(token => token.Value.Split(',')))
            {
                if (!TtsDevice.TryParse(text, null, out var device))
                {
                    result.AddError($"--devices has '{text}'; use cpu, cuda or cuda:1, comma-separated.");
                    return [];
                }
                found.Add(device);
            }
            return [.. found];
        },
    };


    private readonly Option<int?> _threads = new("--threads") { Description = "CPU threads of one operation, 1 to 1024. Default: all cores." };

    private readonly Option<DirectoryInfo?> _natives =
        new("--natives") { Description = "Folder with libtorch's libraries, e.g. torch/lib of a PyTorch install." };

    private readonly Option<FileInfo?> _timbres =
        new("--timbres") { Description = "File of the voice store that processes share. Default: one for each model and user." };

    public void AddTo(Command command)
    {
        _threads.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.GetValueOrDefault<int?>() is null or (>= 1 and <= 1024))
                return;
            result.AddError("--threads takes 1 to 1024.");
        });
        foreach (var option in (Option[])[_model, _device, _devices, _precision, _decoder, _threads, _natives, _timbres])
            command.Options.Add(option);
    }

    public TtsPipelineOptions Read(ParseResult parsed)
    {
        var options = new TtsPipelineOptions
        {
            ModelPath = Folder(parsed.GetValue(_model)),
            Device = parsed.GetValue(_device),
            Devices = parsed.GetValue(_devices) is { Length: > 0 } devices ? devices : null, // an array that is not given is empty
            Precision = parsed.GetValue(_precision),
            Decoder = parsed.GetValue(_decoder),
            Threads = parsed.GetValue(_threads),
            NativeLibraryPath = parsed.GetValue(_natives)?.FullName,
            MaxTextLength = int.MaxValue,
            LoggerFactory = new WarningLog(),
        };
        if (parsed.GetValue(_timbres) is { } file)
            options.Timbres.SegmentPath = file.FullName;
        return options;
    }

    /// <summary>A folder goes before a fetched model of the same name; a name is looked up in the cache and nowhere else.</summary>
    private static string? Folder(string? model)
    {
        if (model is null || Directory.Exists(model) || !TtsModels.IsName(model))
            return model is null ? null : Path.GetFullPath(model);
        return TtsModels.Find(model)?.Path ?? throw new TtsModelLoadException(
            $"There is no folder '{model}', and no fetched model of that name. Fetch it: speak models pull {model}");
    }
}
