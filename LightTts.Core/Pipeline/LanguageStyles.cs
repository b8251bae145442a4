using System.Collections.Concurrent;
using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>The language models by name: which there are, who may use them, how they come and go.</summary>
/// <param name="models">Those that there are from the start; the first is that of requests that name none, and stays.</param>
/// <param name="apply">Has the language stage take a model over or free one; throws where it has ended.</param>
internal sealed class LanguageStyles(IReadOnlyList<StyleModel> models, Func<StyleChange, Task> apply)
{
    private readonly Func<StyleChange, Task> _apply = apply;
    private readonly ConcurrentDictionary<string, LanguageStyle> _styles = new(
        models.Select(style => KeyValuePair.Create(style.Name, new LanguageStyle(style.Name, style.Model))), StringComparer.Ordinal);

    /// <summary>The style of requests that name none.</summary>
    public string Default => models[0].Name;

    /// <summary>Names of the styles that can be asked for now, the default first.</summary>
    public IReadOnlyList<string> Names => [Default, .. _styles.Keys.Where(name => name != Default).Order(StringComparer.Ordinal)];

    /// <summary>The styles themselves, the default first; as long as none has come or gone.</summary>
    public IEnumerable<LanguageStyle> All => models.Select(style => _styles[style.Name]);

    /// <exception cref="TtsRequestException">The request names a style that there is not.</exception>
    public void Check(SynthesisRequest request)
    {
        if (request.Style is { } name && !_styles.ContainsKey(name))
            throw None(name);
    }

    /// <summary>A request begins to use its style; <see cref="LanguageStyle.Leave"/> ends that.</summary>
    /// <exception cref="TtsRequestException">There is no such style, or it is being removed.</exception>
    public LanguageStyle Enter(SynthesisRequest request)
    {
        var name = request.Style ?? Default;
        return _styles.TryGetValue(name, out var style) && style.TryEnter() ? style : throw None(name);
    }

    /// <summary>Adds a language model over the same decoder; from then on the engine owns it, whether this succeeds or not.</summary>
    /// <exception cref="ArgumentException">There is a style of that name.</exception>
    public async Task AddAsync(string name, ILanguageModel model)
    {
        var style = new LanguageStyle(name, model);
        if (_styles.ContainsKey(name))
        {
            model.Dispose();
            throw Taken(name);
        }
        await _apply(new StyleChange(style, IsRemoval: false)).ConfigureAwait(false);
        if (_styles.TryAdd(name, style))
            return;
        await _apply(new StyleChange(style, IsRemoval: true)).ConfigureAwait(false); // two at once
        throw Taken(name);
    }

    /// <summary>Lets no more requests use a style, waits for those that do, and frees its model.</summary>
    /// <returns>False where there is none of that name, or somebody removes it already.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled; the style serves again.</exception>
    public Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) => RemoveAsync([this], name, cancellationToken);

    /// <summary>As <see cref="RemoveAsync(string, CancellationToken)"/>, of all replicas or none.</summary>
    public static async Task<bool> RemoveAsync(IReadOnlyList<LanguageStyles> replicas, string name, CancellationToken cancellationToken)
    {
        List<(LanguageStyles Owner, LanguageStyle Style, Task Left)> closed = [];
        foreach (var owner in replicas)
            if (owner._styles.TryGetValue(name, out var style) && style.Close() is { } left)
                closed.Add((owner, style, left));
        try
        {
            await Task.WhenAll(closed.Select(part => part.Left)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var (_, style, _) in closed)
                style.Reopen();
            throw;
        }
        foreach (var (owner, style, _) in closed)
        {
            owner._styles.TryRemove(name, out _);
            await owner._apply(new StyleChange(style, IsRemoval: true)).ConfigureAwait(false);
        }
        return closed.Count > 0;
    }

    private TtsRequestException None(string name) =>
        new($"There is no style '{RequestValidator.Shown(name)}'. The styles are: {string.Join(", ", Names)}.");

    private static ArgumentException Taken(string name) =>
        new($"There is a style '{name}' already. Remove it first, or take another name.", nameof(name));
}
