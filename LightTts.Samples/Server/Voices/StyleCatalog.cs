using LightTts.Extensions;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.Voices;

/// <summary>The models of this server: the language models of the model directory, then other directories. The first is the one of requests
/// that name none.</summary>
internal sealed class StyleCatalog
{
    /// <summary>What the seed system calls a single model.</summary>
    public const string DefaultName = "cosyvoice";

    private static readonly string[] Aliases = ["default", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"];

    private readonly List<Style> _styles;

    public StyleCatalog(IServiceProvider services, ServerOptions options)
    {
        _styles = [new Style(DefaultName, services.GetRequiredService<ITtsPipeline>(), services.GetRequiredService<ITtsPipelineHost>())];
        foreach (var name in options.Styles.Keys)
            _styles.Add(new Style(name, services.GetRequiredKeyedService<ITtsPipeline>(name),
            services.GetRequiredKeyedService<ITtsPipelineHost>(name)));
    }

    public Style Default => _styles[0];

    public IReadOnlyList<Style> All => [.. Default.Pipeline.Styles is { Count: > 0 } names
        ? names.Select(name => Default with { Name = name, Language = name })
        : [Default], .. _styles.Skip(1)];

    /// <summary>One for each pipeline.</summary>
    public IReadOnlyList<Style> Pipelines => _styles;

    /// <summary>Finds a model by its style's name, its own name, or a name that stands for the default.</summary>
    /// <exception cref="RequestFailedException">There is none.</exception>
    public Style Find(string? name)
    {
        if (string.IsNullOrEmpty(name) || Aliases.Contains(name))
            return Ready(Default);
        foreach (var style in All)
            if (style.Name == name || style.Host.Model?.Name == name)
                return Ready(style);
        throw new RequestFailedException(new Failure(StatusCodes.Status404NotFound, "model_not_found",
            $"There is no such model. The models are: {string.Join(", ", All.Select(style => style.Name))}.", null, "model"));
    }

    private static Style Ready(Style style) => style.Host.State switch
    {
        TtsPipelineState.Ready => style,
        TtsPipelineState.Faulted => throw new RequestFailedException(Failure.Broken),
        TtsPipelineState.Stopping or TtsPipelineState.Stopped => throw new RequestFailedException(Failure.Stopping),
        _ => throw new RequestFailedException(Failure.Loading),
    };
}
